/** Beside an alert: precedents, relations, playbooks. */
export default {
  seen: "Seen before",
  same: "The same entity",
  others: "Other entities",
  related: "Related",
  nothing: "No other alert, process or session around it.",
  entity: "Alerts about the same entity or host ({n})",
  processes: "Processes above and below",
  session: "The same session ({n})",
  playbook: "Playbook: {title}",
  did: "did it",
  undid: "took it back",
  page: {
    title: "Playbooks",
    total: "{n} in all",
    seek: "Search steps and rules",
    none: "No playbook fits",
    noneHelp: "Search for another word.",
    rules: "{n} rules",
    which: "For these rules",
  },
};
