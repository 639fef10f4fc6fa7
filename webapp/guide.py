"""How to read this: what the figures mean and where they end. Words only."""

from __future__ import annotations

import gradio as gr

TEXT = """
<article class="reading">
<h2>How to read this page</h2>
<dl>
<dt>The embedding predicts 31&#8239;% [24, 38] of the differences in loss</dt>
<dd>A small ensemble predicts each sample's loss from its embedding, on samples that it did not see. The share says how much of the loss has to do
with
what the embedding sees; the bracket is the 95&#8239;% interval; p is the chance of such a share with the losses shuffled. A low share
does not mean that there is no failure cluster, only that most of the loss has other reasons.</dd>
<dt>Failure cluster</dt>
<dd>Samples that fail together more than chance allows, the whole search counted in. Nothing else is called a cluster here.</dd>
<dt>Excess loss +0.98 [0.58, 1.18]</dt>
<dd>Mean loss of the members minus that of the rest of the scope, on samples that did not choose the cluster; the interval allows for its having
been picked as one of the worst.</dd>
<dt>Adjusted p</dt>
<dd>Allows for every candidate, condition and class that was tried in the run. Below 0.05 by default.</dd>
<dt>What they share</dt>
<dd>Conditions on the table's columns and on measured properties of the pictures, under which the loss is higher. Conditions that say the same are
folded under one. They describe; they
don't prove a cause. Under each stands the share of the members that meet it, and of the rest: not every member does.</dd>
<dt>In words</dt>
<dd>Phrases of a vocabulary along which the samples score, in the space that images share with texts. Two evidences stand behind each: how well it
finds the cluster on images that it was not chosen on (AUROC, 0.5 is chance), and what the loss model reads in the words alone. Where the two point
in opposite directions, the phrase is greyed and marked. A phrase that is not confirmed is greyed too.</dd>
<dt>Ask</dt>
<dd>What the loss is where images look like any text. Its p holds for as many questions as you like, so an answer is confirmed more rarely than one
planned test would be. If no group stands apart along the text, the most similar images are taken: look at them before you believe the words.
A question that lies mostly outside the tested words is answered by its pictures alone, without a p.</dd>
<dt>Audit</dt>
<dd>Every phrase in every class, as a description. Of so many cells one in twenty would be bold by chance.</dd>
<dt>Thirty clicks</dt>
<dd>Your own eyes as the judge. The strip is drawn at random from the cluster and from the rest, and is answered blind; the interval speaks of the
whole cluster.</dd>
<dt>Predict</dt>
<dd>Each confirmed finding is frozen, with the error rate that it predicts, under one hash. Fresh samples, or a part that was hidden from the run,
then show whether it fails again: clearly worse than the rest, and "as predicted" if the observed rate also lies within what so few samples vary
by. With too few matches nothing is judged.</dd>
<dt>Probe</dt>
<dd>A second classifier, which knows your classes by their names or by a few images of each, is judged on the same images as your model. Of a
cluster, <b>fixed</b> means that it is right there more often than your model; <b>broken</b> is the other way round. <b>Shared</b> means that it too
does worse there than elsewhere, so these images are hard for both; <b>own</b> that your model's errors rise there more than the probe's, which
had room to rise as much and is not known to do worse there;
<b>partly</b> that it is right more often than your model there and still does worse than elsewhere; <b>open</b> that
there are too few images to tell. A weak probe may break much and still tell what is hard: look at where its errors rise, not only at how many they
are.</dd>
<dt>Looked at, not confirmed</dt>
<dd>Could be chance: too few to tell. The loss is higher there, but so it is in some group when the losses are shuffled.</dd>
<dt>Counter-examples</dt>
<dd>For the worst members, the most alike samples on which the model does well: what differs between the two is worth looking at.</dd>
<dt>Exploratory</dt>
<dd>Whatever you circle on the map was chosen after seeing the losses. It is described with its effect, and given no p. What a question in Ask chose
is shown with the same figures; its p stands in Ask.</dd>
<dt>12 of its 12 are also in cluster 1</dt>
<dd>A cluster within a class may lie in one across classes. Its card says how many of its samples do: such clusters are not failures apart.</dd>
<dt>The map</dt>
<dd>Two dimensions cannot hold hundreds: near means similar as a rule, far means little. No test uses the map.</dd>
</dl>
<h3>Keys</h3>
<p><kbd>Tab</kbd> to the map, arrows step through the clusters, <kbd>Enter</kbd> opens one, <kbd>Esc</kbd> clears, <kbd>+</kbd> <kbd>&minus;</kbd>
<kbd>0</kbd> zoom. In the audit, arrows step through the cells. In thirty clicks, <kbd>y</kbd> <kbd>n</kbd> <kbd>s</kbd> answer and <kbd>u</kbd>
undoes. Everything on the map can be done from the list as well.</p>
<h3>Privacy</h3>
<p>Your data stay on the machine that serves this page, under a random name that only your page knows, and are deleted within a day. No telemetry;
nothing is fetched from elsewhere.</p>
</article>
"""


def build() -> None:
    """Lay out the tab."""
    gr.HTML(TEXT, apply_default_css=False)
