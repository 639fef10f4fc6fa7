"""What a note may say, by kind of mistake: patterns, of which one must fit."""

CODES = (
    r"chance|guess|\border|permut|shift|renumber|one off|(counte?d?s?|numbered) from|starts? at|other rows|not belong|"
    r"would (be|make)|instead of"
)
"""Classes, files or images are numbered in two ways."""
APART = (
    r"chance|guess|(other|same) rows|shuffl|sorted|not (belong|fit|go)|unrelated|no relation|rank|"
    r"(right|wrong) rows|larger|higher|lower|agree|contradict"
)
"""Losses do not go with right and wrong, or truth and prediction with each other."""
WRITTEN = (
    r"no prediction is|never (predicted|a label)|(none|one) of the (labels|predictions|classes)|written|alike|spell|"
    r"one another|case|space|prefix|differ|only (in|among)|no label|not a label"
)
"""Classes are written in two ways."""
SHARES = r"sum|percent|softmax|logit|probabilit|confiden|flat|uniform|temperature"
"""Probabilities or logits are something else."""
SENTINEL = r"missing|sentinel|placeholder|stands? (in )?for|fill|same value|repeat"
"""A number stands for a missing one."""
REPEATED = r"batch|repeat|same|runs of|mean|constant|one value"
"""Rows share one loss."""
SCALE = r"scale|unit|factor|times|spread|mean|log|standard|correlat|far from|variance|baseline|worse than|" + APART
"""Two numbers are of different units."""
BOXES = r"corner|cent(er|re)|left, top|scale|resiz|overlap|swap|exchang|match|size|fit no|pixel|share|normali"
"""Boxes are in another form."""
