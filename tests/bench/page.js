"use strict";
// The least that a Jitsi participant needs in a browser, to be measured beside Parley: RFC 7395, anonymous login, room,
// Jingle to SDP (signalled SSRCs, XEP-0167/0176/0320/0339), bridge channel by SCTP. It only receives.
const shown = { frames: 0, first: 0, joined: 0, ages: [], error: null };
const FEATURES = ["http://jabber.org/protocol/disco#info", "urn:xmpp:jingle:1", "urn:xmpp:jingle:apps:rtp:1",
  "urn:xmpp:jingle:transports:ice-udp:1", "urn:xmpp:jingle:apps:dtls:0", "urn:xmpp:jingle:transports:dtls-sctp:1",
  "urn:xmpp:jingle:apps:rtp:audio", "urn:xmpp:jingle:apps:rtp:video", "urn:ietf:rfc:5761", "urn:ietf:rfc:5888",
  "urn:ietf:rfc:4588", "http://jitsi.org/tcc"];
const escape = text => String(text).replace(/[&<>'"]/g, c => `&#${c.charCodeAt(0)};`);
const all = (node, name) => [...node.getElementsByTagNameNS("*", name)];
const one = (node, name) => all(node, name)[0];

let socket, pc, room, session, options, began;
const sources = new Map();   // ssrc -> {media, name, msid}
const groups = [];           // {media, semantics, ssrcs}
const slots = [];            // one m-line after audio 0, video 0 and data: {media, ssrc or null}
let base = null, version = 1, changing = Promise.resolve();
const waiting = new Map();
const steps = [];

function send(text) { socket.send(text); }
function next() { return new Promise(resolve => steps.push(resolve)); }
function ask(type, to, inner) {
  const id = `q${waiting.size + 1}`;
  send(`<iq xmlns="jabber:client" type="${type}" id="${id}"${to ? ` to="${escape(to)}"` : ""}>${inner}</iq>`);
  return new Promise((resolve, reject) => waiting.set(id, stanza =>
    stanza.getAttribute("type") === "result" ? resolve(stanza) : reject(new Error(stanza.outerHTML.slice(0, 300)))));
}

async function join(wanted) {
  options = wanted;
  began = performance.now();
  const nick = [...crypto.getRandomValues(new Uint8Array(4))].map(b => b.toString(16).padStart(2, "0")).join("");
  room = `${options.room}@${options.muc}`;
  socket = new WebSocket(options.websocket, "xmpp");
  await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = () => reject(new Error("socket")); });
  socket.onmessage = event => receive(new DOMParser().parseFromString(event.data, "text/xml").documentElement);
  const open = `<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="${options.domain}" version="1.0"/>`;
  send(open);
  await next(); await next();
  send('<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="ANONYMOUS"/>');
  await next();
  send(open);
  await next(); await next();
  await ask("set", null, '<bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/>');
  await ask("set", options.focus, `<conference xmlns="http://jitsi.org/protocol/focus" room="${room}" machine-uid="${nick}"/>`);
  const info = JSON.stringify({ [`${nick}-a0`]: { muted: true }, [`${nick}-v0`]: { muted: true } });
  send(`<presence xmlns="jabber:client" to="${room}/${nick}"><x xmlns="http://jabber.org/protocol/muc"/>` +
       `<nick xmlns="http://jabber.org/protocol/nick">Chromium</nick><SourceInfo>${escape(info)}</SourceInfo></presence>`);
}

function receive(stanza) {
  const name = stanza.localName, type = stanza.getAttribute("type"), id = stanza.getAttribute("id");
  if (name === "iq" && (type === "result" || type === "error")) { waiting.get(id)?.(stanza); return; }
  if (name === "iq") { request(stanza); return; }
  if (name === "presence" || name === "message") { return; }
  steps.shift()?.(stanza);
}

function answer(stanza, inner = "") {
  send(`<iq xmlns="jabber:client" type="result" id="${escape(stanza.getAttribute("id"))}" ` +
       `to="${escape(stanza.getAttribute("from"))}">${inner}</iq>`);
}

function request(stanza) {
  const jingle = one(stanza, "jingle"), query = one(stanza, "query");
  if (query && query.namespaceURI.endsWith("disco#info")) {
    const features = FEATURES.map(f => `<feature var="${f}"/>`).join("");
    answer(stanza, `<query xmlns="http://jabber.org/protocol/disco#info"><identity category="client" type="web"/>${features}</query>`);
    return;
  }
  answer(stanza);
  if (!jingle) { return; }
  changing = changing.then(() => change(stanza, jingle)).catch(error => { shown.error = String(error); });
}

async function change(stanza, jingle) {
  const action = jingle.getAttribute("action");
  if (action === "session-initiate") {
    session = { sid: jingle.getAttribute("sid"), from: stanza.getAttribute("from"), jingle };
    read(jingle, true);
    await start();
  } else if (action === "source-add") {
    read(jingle, true);
    await negotiate();
  } else if (action === "source-remove") {
    read(jingle, false);
    await negotiate();
  }
}

function read(jingle, added) {
  for (const content of all(jingle, "content")) {
    const description = one(content, "description");
    if (!description) { continue; }
    const media = description.getAttribute("media");
    for (const group of all(description, "ssrc-group")) {
      const ssrcs = all(group, "source").map(s => s.getAttribute("ssrc"));
      if (added) { groups.push({ media, semantics: group.getAttribute("semantics"), ssrcs }); }
    }
    for (const source of [...description.children].filter(child => child.localName === "source")) {
      const ssrc = source.getAttribute("ssrc"), name = source.getAttribute("name") || "";
      if (!added) { sources.delete(ssrc); continue; }
      if (name.startsWith("jvb")) { continue; }
      const msid = [...all(source, "parameter")].find(p => p.getAttribute("name") === "msid")?.getAttribute("value");
      sources.set(ssrc, { media, name, msid: msid || `${name} ${name}-track` });
    }
  }
  const secondary = new Set(groups.filter(g => g.semantics === "FID").map(g => g.ssrcs[1]));
  for (const group of groups.filter(g => g.semantics === "SIM")) { group.ssrcs.slice(1).forEach(s => secondary.add(s)); }
  for (const [ssrc, source] of sources) {
    if (!secondary.has(ssrc) && !slots.some(slot => slot.ssrc === ssrc)) { slots.push({ media: source.media, ssrc }); }
  }
  for (const slot of slots) { slot.live = sources.has(slot.ssrc); }
}

function mediaLines(description) {
  const types = all(description, "payload-type"), lines = [];
  for (const type of types) {
    const id = type.getAttribute("id"), channels = type.getAttribute("channels");
    lines.push(`a=rtpmap:${id} ${type.getAttribute("name")}/${type.getAttribute("clockrate")}` +
               (channels && channels !== "1" ? `/${channels}` : ""));
    const parameters = all(type, "parameter").map(p => `${p.getAttribute("name")}=${p.getAttribute("value")}`);
    if (parameters.length) { lines.push(`a=fmtp:${id} ${parameters.join(";")}`); }
    for (const fb of all(type, "rtcp-fb")) {
      lines.push(`a=rtcp-fb:${id} ${[fb.getAttribute("type"), fb.getAttribute("subtype")].filter(Boolean).join(" ")}`);
    }
  }
  for (const ext of all(description, "rtp-hdrext")) { lines.push(`a=extmap:${ext.getAttribute("id")} ${ext.getAttribute("uri")}`); }
  return { ids: types.map(type => type.getAttribute("id")).join(" "), lines };
}

function offer() {
  const contents = all(session.jingle, "content");
  const transport = contents.map(c => one(c, "transport")).find(t => t?.getAttribute("ufrag"));
  const print = one(transport, "fingerprint");
  const shared = ["c=IN IP4 0.0.0.0", `a=ice-ufrag:${transport.getAttribute("ufrag")}`, `a=ice-pwd:${transport.getAttribute("pwd")}`,
    `a=fingerprint:${print.getAttribute("hash")} ${print.textContent.trim()}`, "a=setup:actpass"];
  const candidates = all(transport, "candidate").map(c => "a=candidate:" + [c.getAttribute("foundation"), c.getAttribute("component"),
    c.getAttribute("protocol"), c.getAttribute("priority"), c.getAttribute("ip"), c.getAttribute("port"), "typ",
    c.getAttribute("type")].join(" "));
  const described = {};
  for (const content of contents) {
    const description = one(content, "description");
    if (description) { described[description.getAttribute("media")] = mediaLines(description); }
  }
  const parts = [["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", ...shared, "a=mid:0", "a=sctp-port:5000", ...candidates]];
  slots.forEach((slot, index) => {
    const media = described[slot.media];
    const lines = [`m=${slot.media} 9 UDP/TLS/RTP/SAVPF ${media.ids}`, ...shared, `a=mid:${index + 1}`, "a=rtcp-mux",
      slot.live ? "a=sendonly" : "a=inactive", ...media.lines];
    if (slot.live) {
      const source = sources.get(slot.ssrc), pair = groups.find(g => g.semantics === "FID" && g.ssrcs[0] === slot.ssrc);
      if (pair) { lines.push(`a=ssrc-group:FID ${pair.ssrcs.join(" ")}`); }
      for (const ssrc of pair ? pair.ssrcs : [slot.ssrc]) {
        lines.push(`a=ssrc:${ssrc} cname:${source.name}`, `a=ssrc:${ssrc} msid:${source.msid}`);
      }
      lines.push(`a=msid:${source.msid}`);
    }
    parts.push(lines);
  });
  const head = ["v=0", `o=- 1 ${version++} IN IP4 0.0.0.0`, "s=-", "t=0 0",
    `a=group:BUNDLE ${parts.map((_, index) => index).join(" ")}`, "a=extmap-allow-mixed"];
  return [...head, ...parts.flat(), ""].join("\r\n");
}

async function negotiate() {
  await pc.setRemoteDescription({ type: "offer", sdp: offer() });
  await pc.setLocalDescription(await pc.createAnswer());
}

async function start() {
  pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  pc.ontrack = show;
  const channel = pc.createDataChannel("JVB data channel", { protocol: "http://jitsi.org/protocol/colibri" });
  channel.onopen = () => channel.send(JSON.stringify({ colibriClass: "ReceiverVideoConstraints", lastN: -1,
    defaultConstraints: { maxHeight: 720 } }));
  await negotiate();
  await new Promise(resolve => {
    if (pc.iceGatheringState === "complete") { resolve(); }
    pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && resolve();
    setTimeout(resolve, 300);
  });
  const sdp = pc.localDescription.sdp, get = key => sdp.match(new RegExp(`a=${key}:(.*)`))[1].trim();
  const [hash, value] = get("fingerprint").split(" ");
  const candidates = [...new Set([...sdp.matchAll(/a=candidate:(.*)/g)].map(m => m[1].trim()))].map((line, index) => {
    const [foundation, component, protocol, priority, ip, port, , type] = line.split(" ");
    return `<candidate foundation="${foundation}" component="${component}" protocol="${protocol.toLowerCase()}" priority="${priority}"` +
      ` ip="${ip}" port="${port}" type="${type}" generation="0" network="0" id="c${index}"/>`;
  }).join("");
  const transport = `<transport xmlns="urn:xmpp:jingle:transports:ice-udp:1" ufrag="${escape(get("ice-ufrag"))}" ` +
    `pwd="${escape(get("ice-pwd"))}"><rtcp-mux/><fingerprint xmlns="urn:xmpp:jingle:apps:dtls:0" hash="${hash}" setup="active">` +
    `${value}</fingerprint>${candidates}</transport>`;
  const contents = all(session.jingle, "content").map(content => {
    const description = one(content, "description"), media = description?.getAttribute("media") || "application";
    const types = media === "application" ? "" : all(description, "payload-type").map(type => type.outerHTML).join("");
    return `<content creator="initiator" name="${content.getAttribute("name")}" senders="both">` +
      `<description xmlns="urn:xmpp:jingle:apps:rtp:1" media="${media}">${types}</description>${transport}</content>`;
  }).join("");
  await ask("set", session.from, `<jingle xmlns="urn:xmpp:jingle:1" action="session-accept" sid="${session.sid}">${contents}</jingle>`);
  shown.joined = performance.now() - began;
}

// ------------------------------------------------------------------ what is shown and heard

function show(event) {
  const element = document.createElement(event.track.kind);
  element.autoplay = true;
  element.srcObject = new MediaStream([event.track]);
  if (event.track.kind === "video") { element.muted = true; watch(element); }
  document.body.append(element);
  const count = document.querySelectorAll("video").length;
  document.body.style.setProperty("--columns", Math.ceil(Math.sqrt(count || 1)));
  element.play();
}

let measuring = 0;
function watch(video) {
  let before = 0;
  video.requestVideoFrameCallback(function each(now, metadata) {
    if (!shown.first) { shown.first = now - began; }
    shown.frames += 1;
    before = metadata.presentedFrames;
    if (measuring) {
      const stamp = readStamp(video);
      if (stamp && stamp.source === measuring) {
        shown.ages.push((performance.timeOrigin + performance.now() - stamp.time) % 4294967296);
      }
    }
    video.requestVideoFrameCallback(each);
  });
}

const canvas = document.createElement("canvas");
function readStamp(video) {
  const width = video.videoWidth, height = video.videoHeight, block = Math.floor(height / 18);
  if (!width || block < 2) { return null; }
  canvas.width = width; canvas.height = 3 * block;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(video, 0, height - 3 * block, width, 3 * block, 0, 0, width, 3 * block);
  const data = context.getImageData(0, 0, width, 3 * block).data, levels = [];
  for (let row = 0; row < 3; row++) {
    for (let column = 0; column < 32; column++) {
      const x = Math.floor((column + 0.5) * width / 32), y = Math.floor((row + 0.5) * block);
      let sum = 0;
      for (let dy = -3; dy <= 3; dy += 3) { for (let dx = -4; dx <= 4; dx += 4) { sum += data[((y + dy) * width + x + dx) * 4 + 1]; } }
      levels.push(sum / 9);
    }
  }
  const low = Math.min(...levels), high = Math.max(...levels), bytes = [];
  if (high - low < 24) { return null; }
  for (let i = 0; i < 96; i += 8) {
    bytes.push(levels.slice(i, i + 8).reduce((value, level) => value * 2 + (level > (low + high) / 2 ? 1 : 0), 0));
  }
  let crc = 0xFFFF;
  for (const byte of bytes.slice(0, 10)) {
    crc ^= byte << 8;
    for (let i = 0; i < 8; i++) { crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xFFFF : (crc << 1) & 0xFFFF; }
  }
  if (bytes[0] !== 0xA7 || crc !== bytes[10] * 256 + bytes[11]) { return null; }
  return { source: bytes[1] * 256 + bytes[2], time: ((bytes[6] * 256 + bytes[7]) * 256 + bytes[8]) * 256 + bytes[9] };
}

function counts() {
  const videos = [...document.querySelectorAll("video")];
  return { shown: shown.frames, first: shown.first, error: shown.error, heights: videos.map(v => v.videoHeight).sort(),
    decoded: videos.reduce((sum, v) => sum + v.getVideoPlaybackQuality().totalVideoFrames, 0) };
}

// Ages of the live pictures when they are presented, and some seconds of all sound with the time of its first sample.
async function latency(source, seconds) {
  const context = new AudioContext({ sampleRate: 48000 }), recorder = context.createScriptProcessor(1024, 1, 1);
  for (const element of document.querySelectorAll("audio")) {
    context.createMediaStreamSource(element.srcObject).connect(recorder);
  }
  const parts = [];
  let total = 0, offset = Infinity;
  recorder.onaudioprocess = event => {
    parts.push(event.inputBuffer.getChannelData(0).slice());
    total += 1024;
    offset = Math.min(offset, performance.timeOrigin + performance.now() - total / 48);
  };
  recorder.connect(context.destination);
  shown.ages = []; measuring = source;
  await new Promise(resolve => setTimeout(resolve, seconds * 1000));
  measuring = 0; recorder.disconnect();
  const sound = new Int16Array(total);
  parts.forEach((part, index) => part.forEach((value, at) => { sound[index * 1024 + at] = Math.max(-1, Math.min(1, value)) * 32767; }));
  const bytes = new Uint8Array(sound.buffer);
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) { text += String.fromCharCode(...bytes.subarray(i, i + 8192)); }
  await context.close();
  return { ages: shown.ages, offset, sound: btoa(text) };
}
