// Presses that come while the answer to one is under way, of events in the mode always_last. Gradio then sends the object of the
// first press once more, which may undo it: so all presses of one name share an object, which says the last of them.
{
  const shared = {}, sendOn = trigger;
  trigger = (name, detail) => {
    const said = (shared[name] ??= {});
    for (const key of Object.keys(said)) delete said[key];
    sendOn(name, Object.assign(said, detail));
  };
}
