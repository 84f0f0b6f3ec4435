/** All texts of the console in Chinese, one module per part. */
import alerts from "./alerts";
import assets from "./assets";
import audit from "./audit";
import beside from "./beside";
import enforcement from "./enforcement";
import evidence from "./evidence";
import exceptions from "./exceptions";
import entities from "./entities";
import hunt from "./hunt";
import login from "./login";
import overview from "./overview";
import packets from "./packets";
import pages from "./pages";
import reports from "./reports";
import registry from "./registry";
import rules from "./rules";
import sensors from "./sensors";
import shell from "./shell";
import transfers from "./transfers";
import words from "./words";

export default { alerts, assets, audit, registry, entities, evidence, hunt, beside, exceptions, login, overview, packets, reports, rules, sensors, shell, transfers, words, ...pages, ...enforcement };
