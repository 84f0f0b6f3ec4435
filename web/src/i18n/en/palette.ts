/** The palette and the help on keys. */
export default {
  title: "Commands",
  hint: "Go to a page, act, or query alerts",
  go: "Go to {page}",
  search: "Query alerts: {q}",
  keys: "All keys",
  queue: "Alert queue",
  everywhere: "Everywhere",
  nothing: "No command matches",
};
