/** All texts of the console in English, one module per part. */
import alerts from "./alerts";
import enforcement from "./enforcement";
import login from "./login";
import overview from "./overview";
import packets from "./packets";
import pages from "./pages";
import rules from "./rules";
import sensors from "./sensors";
import shell from "./shell";
import transfers from "./transfers";
import words from "./words";

export default { alerts, login, overview, packets, rules, sensors, shell, transfers, words, ...pages, ...enforcement };
