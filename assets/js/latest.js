// Presses that come while the answer to one is under way, of events in the mode always_last. Gradio then sends the object of the
// first press once more, as soon as that is answered: so all presses of one name share an object, which says those that were not
// sent yet at the moment when it is written. webapp/state/events.py takes them in their order; none comes twice, and of the
// latest twenty none is lost.
{
  const IN_TURN = ["act", "yours", "lasso", "colour"], MOST = 20;
  const shared = {}, sendOn = trigger;
  trigger = (name, detail) => {
    if (!IN_TURN.includes(name)) return sendOn(name, detail);
    const said = (shared[name] ??= { acts: [], toJSON() { return { acts: this.acts.splice(0) }; } });
    said.acts.push(detail);
    said.acts.splice(0, said.acts.length - MOST);
    sendOn(name, said);
  };
}
