// Prints what uap-core reads out of user agents that people and programs really send, one JSON object a line: the
// browsers of the package user-agents, and what the bots of crawler-user-agents call themselves. Nothing of their data
// is in this repository.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { parse } from "yaml";

const require = createRequire(import.meta.url);
const near = (name, file) => join(dirname(require.resolve(name)), file);

const rules = parse(readFileSync(require.resolve("uap-core/regexes.yaml"), "utf8"));
const compiled = (list) =>
  list.map((rule) => ({ ...rule, pattern: new RegExp(rule.regex, rule.regex_flag ?? "") }));
const browsers = compiled(rules.user_agent_parsers);
const systems = compiled(rules.os_parsers);
const devices = compiled(rules.device_parsers);

const first = (list, agent) => {
  for (const rule of list) {
    const match = rule.pattern.exec(agent);
    if (match) return { rule, match };
  }
};

const filled = (text, match) => text.replace(/\$(\d)/g, (_, place) => match[place] ?? "").trim();

/** What uap-core reads: the browser's family and major version, the system's family, the device's. */
function read(agent) {
  const browser = first(browsers, agent);
  const system = first(systems, agent);
  const device = first(devices, agent);
  const { rule, match } = browser ?? {};
  return {
    family: rule ? filled(rule.family_replacement ?? match[1], match) : "Other",
    version: rule ? filled(rule.v1_replacement ?? match[2] ?? "", match) : "",
    system: system ? filled(system.rule.os_replacement ?? system.match[1], system.match) : "Other",
    device: device ? filled(device.rule.device_replacement ?? device.match[1], device.match) : "Other",
  };
}

/** Every so many of a list, so that a corpus has some of everything. */
const spread = (list, count) =>
  Array.from({ length: count }, (_, at) => list[Math.floor((at * list.length) / count)]);

const people = JSON.parse(readFileSync(near("user-agents", "user-agents.json"), "utf8"));
const kinds = new Map(people.map((it) => [it.userAgent, it.deviceCategory]));
const bots = require("crawler-user-agents");
const names = [...new Set(bots.flatMap((bot) => bot.instances))];

const [asked] = process.argv.slice(2).map(Number);
const agents = asked ? spread([...kinds.keys()], asked) : [...kinds.keys()];
const programs = asked ? spread(names, asked / 4) : names;
for (const agent of agents) {
  console.log(JSON.stringify({ agent, kind: kinds.get(agent), ...read(agent) }));
}
for (const agent of programs) {
  console.log(JSON.stringify({ agent, kind: "program", ...read(agent) }));
}
