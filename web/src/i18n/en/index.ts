/** All texts of the console in English, one module per part. */
import alerts from "./alerts";
import assets from "./assets";
import audit from "./audit";
import beside from "./beside";
import enforcement from "./enforcement";
import evidence from "./evidence";
import exceptions from "./exceptions";
import cases from "./cases";
import entities from "./entities";
import hunt from "./hunt";
import identity from "./identity";
import login from "./login";
import overview from "./overview";
import names from "./names";
import packets from "./packets";
import palette from "./palette";
import pages from "./pages";
import reports from "./reports";
import registry from "./registry";
import rules from "./rules";
import sensors from "./sensors";
import shell from "./shell";
import transfers from "./transfers";
import wall from "./wall";
import webhooks from "./webhooks";
import words from "./words";

export default { alerts, assets, audit, registry, entities, evidence, hunt, identity, beside, exceptions, login, overview, packets, palette, reports, rules, sensors, shell, transfers, wall, webhooks, words, ...names, ...pages, ...enforcement, ...cases };
