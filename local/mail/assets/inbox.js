// The inbox: asks the mailbox every second (an unchanged list costs a 304), and shows one mail at a time.
// Everything that a mail says goes in as text, except in the sandboxed frame.
const part = (id) => document.getElementById(id);
const EVERY_MS = 1000;
let chosen = decodeURIComponent(location.hash.slice(1));
let tag = "";
let asked = "";

const time = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

const span = (name, text) => {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  return element;
};

function item(mail) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.id = mail.id;
  const row = span("row", "");
  row.append(span("to", mail.to.join(", ") || "(no recipient in To)"), span("when", time(mail.at)));
  button.append(row, span("subject", mail.subject || "(no subject)"), span("peek", mail.text.replace(/\s+/g, " ").slice(0, 120)));
  button.addEventListener("click", () => choose(mail.id));
  const line = document.createElement("li");
  line.append(button);
  return line;
}

function mark() {
  for (const button of part("list").querySelectorAll("button")) {
    button.setAttribute("aria-current", String(button.dataset.id === chosen));
  }
}

function show(mails) {
  part("list").replaceChildren(...mails.map(item));
  part("count").textContent = mails.length === 500 ? "500+" : mails.length;
  part("count").hidden = false;
  part("empty").hidden = mails.length > 0;
  part("empty").textContent = part("search").value.trim()
    ? "No matching recipients."
    : "No mail yet. Mail that the functions send appears here automatically.";
  document.title = mails.length ? `Mailbox (${part("count").textContent})` : "Mailbox";
  mark();
}

async function refresh() {
  const url = `/messages?limit=500&search=${encodeURIComponent(part("search").value.trim())}`;
  try {
    const answer = await fetch(url, { headers: url === asked ? { "If-None-Match": tag } : {}, cache: "no-store" });
    part("offline").hidden = true;
    if (!answer.ok) return;
    const mails = await answer.json();
    tag = answer.headers.get("ETag") ?? "";
    asked = url;
    show(mails);
  } catch {
    part("offline").hidden = false;
  }
}

function close() {
  chosen = "";
  history.replaceState(null, "", location.pathname);
  document.body.classList.remove("reading");
  part("mail").hidden = true;
  part("hint").hidden = false;
  mark();
}

async function choose(id) {
  const answer = await fetch(`/messages/${encodeURIComponent(id)}`);
  if (!answer.ok) return close();
  const mail = await answer.json();
  chosen = id;
  history.replaceState(null, "", `#${encodeURIComponent(id)}`);
  const page = `/messages/${encodeURIComponent(id)}/html`;
  part("subject").textContent = mail.subject || "(no subject)";
  part("from").textContent = mail.from;
  part("to").textContent = [...mail.to, ...mail.cc.map((one) => `${one} (cc)`), ...mail.bcc.map((one) => `${one} (bcc)`)].join(", ");
  part("at").textContent = new Date(mail.at).toLocaleString();
  part("at").dateTime = mail.at;
  part("provider").textContent = mail.provider === "ses" ? "SES" : "Resend";
  part("html").src = `${page}?links=tab`;
  part("open").href = page;
  part("text").textContent = mail.text || "(no text part)";
  part("headers").textContent = headers(mail);
  part("mail").hidden = false;
  part("hint").hidden = true;
  document.body.classList.add("reading");
  mark();
  await tell("opened");
}

// What the recipient does goes back to the functions, as a provider would tell it.
async function tell(what) {
  await fetch(`/messages/${encodeURIComponent(chosen)}/${what}`, { method: "POST" });
  await since();
}

async function since() {
  if (!chosen) return;
  try {
    const answer = await fetch(`/messages/${encodeURIComponent(chosen)}/events`, { cache: "no-store" });
    const events = answer.ok ? await answer.json() : [];
    part("events").textContent = events.map(({ what, at }) => `${what} ${time(at)}`).join(", ") || "none yet";
  } catch {
    part("offline").hidden = false;
  }
}

function headers(mail) {
  const tags = mail.tags.map(({ name, value }) => `Tag: ${name}=${value}`);
  const lines = [`Message-ID: ${mail.id}`, ...tags, ...mail.replyTo.map((one) => `Reply-To: ${one}`)];
  lines.push(...mail.headers.map(({ name, value }) => `${name}: ${value}`));
  lines.push(...mail.attachments.map((name) => `Attachment: ${name}`));
  return lines.join("\n");
}

function turn(tab) {
  for (const button of document.querySelectorAll("[data-tab]")) {
    const on = button.dataset.tab === tab;
    button.setAttribute("aria-selected", String(on));
    part(button.dataset.tab).hidden = !on;
  }
}

for (const button of document.querySelectorAll("[data-tab]")) {
  button.addEventListener("click", () => turn(button.dataset.tab));
}
part("back").addEventListener("click", close);
part("spam").addEventListener("click", () => tell("complained"));
part("search").addEventListener("input", refresh);
part("clear").addEventListener("click", async () => {
  if (!confirm("Delete all mail?")) return;
  await fetch("/messages", { method: "DELETE" });
  close();
  refresh();
});

if (chosen) choose(chosen);
refresh();
setInterval(() => document.hidden || (refresh(), since()), EVERY_MS);
