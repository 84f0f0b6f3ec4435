/** The palette and the help on keys. */
export default {
  title: "Commands",
  hint: "Go to a page, act, or query alerts",
  go: "Go to {page}",
  search: "Query alerts: {q}",
  keys: "All keys",
  queue: "Alert queue",
  lists: "Lists of other pages",
  list: { down: "Next row; with details open, the next one's", up: "Row before; with details open, the one before", open: "Open the row", leave: "Leave the details, then the list", search: "Search" },
  everywhere: "Everywhere",
  nothing: "No command matches",
};
