// Draws, asks the client process of this computer, and shows its answers.
"use strict";

const SIZE = 8;      // pixels of a row, and rows
const DOTS = 4;      // dots of a pixel, in each direction
const GRID = SIZE * DOTS;
const WIDEST = 24;   // dots: the digits that the network was trained on leave a margin at both sides
const PEN = 4;       // dots
const POLL_MILLISECONDS = 200;
const STATES = {
  encrypting: "Encrypting…",
  waiting: "Waiting for the server's turn…",
  running: "The server computes on encrypted numbers",
};

const element = (id) => document.getElementById(id);
const paper = element("paper").getContext("2d");
const preview = element("preview").getContext("2d");

let strokes = [];    // arrays of [x, y], in pixels of the paper
let example = null;  // pixels of a digit of the test set, in place of strokes
let drawing = false;
let ready = false;
let busy = false;
let answered = false;

// The strokes with their bounding box brought to the height of the grid, and in its middle; a digit
// wider than it should be is brought to the greatest width instead.
function normalized() {
  const points = strokes.flat();
  const xs = points.map((point) => point[0]);
  const ys = points.map((point) => point[1]);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  const scale = Math.min((GRID - PEN) / Math.max(bottom - top, 1), (WIDEST - PEN) / Math.max(right - left, 1));
  const move = ([x, y]) => [
    GRID / 2 + (x - (left + right) / 2) * scale,
    GRID / 2 + (y - (top + bottom) / 2) * scale,
  ];
  return strokes.map((stroke) => stroke.map(move));
}

function stroke(context, lines, width, color) {
  context.lineWidth = width;
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = color;
  for (const line of lines) {
    context.beginPath();
    context.moveTo(...line[0]);
    for (const point of line) context.lineTo(...point);
    context.stroke();
  }
}

// Rows of pixels, each the number of its dots that have ink.
function pixels() {
  if (example) return example;
  const counts = Array.from({ length: SIZE }, () => new Array(SIZE).fill(0));
  if (!strokes.length) return counts;
  const dots = new OffscreenCanvas(GRID, GRID).getContext("2d");
  stroke(dots, normalized(), PEN, "#000");
  const alpha = dots.getImageData(0, 0, GRID, GRID).data;
  for (let y = 0; y < GRID; y++) {
    for (let x = 0; x < GRID; x++) {
      if (alpha[4 * (y * GRID + x) + 3] >= 128) counts[Math.floor(y / DOTS)][Math.floor(x / DOTS)]++;
    }
  }
  return counts;
}

function show() {
  paper.clearRect(0, 0, paper.canvas.width, paper.canvas.height);
  stroke(paper, strokes, 24, "#111");
  pixels().forEach((row, y) => row.forEach((ink, x) => {
    const gray = 255 - Math.round((ink * 255) / (DOTS * DOTS));
    preview.fillStyle = `rgb(${gray}, ${gray}, ${gray})`;
    preview.fillRect(x, y, 1, 1);
  }));
  element("classify").disabled = !ready || busy || !(strokes.length || example);
}

function position(event) {
  const box = paper.canvas.getBoundingClientRect();
  return [
    ((event.clientX - box.left) * paper.canvas.width) / box.width,
    ((event.clientY - box.top) * paper.canvas.height) / box.height,
  ];
}

function say(text, failed = false) {
  element("state").textContent = text;
  element("state").classList.toggle("error", failed);
}

function showScores(scores) {
  const least = Math.min(...scores);
  const greatest = Math.max(...scores);
  const best = scores.indexOf(greatest);
  element("class").textContent = best;
  element("scores").replaceChildren(...scores.map((score, digit) => {
    const row = document.createElement("tr");
    row.classList.toggle("best", digit === best);
    const head = row.appendChild(document.createElement("th"));
    head.scope = "row";
    head.textContent = digit;
    row.insertCell().textContent = score;
    const bar = row.insertCell().appendChild(document.createElement("meter"));
    bar.min = Math.min(least, greatest - 1);
    bar.max = greatest;
    bar.value = score;
    bar.ariaHidden = "true";
    return row;
  }));
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The client process does not answer. Is it still running?");
  }
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error);
  return content;
}

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// What happens, for people. The first digit waits until the server has expanded the keys.
function waiting({ state, progress }) {
  if (state !== "running") return STATES[state];
  if (progress === 0 && !answered) return "The server expands the evaluation keys, once…";
  return `${STATES.running}: ${Math.round(100 * progress)} %…`;
}

async function classify() {
  busy = true;
  show();
  element("class").textContent = "–";
  element("scores").replaceChildren();
  element("cost").textContent = "";
  try {
    const { digit } = await ask("digits", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ pixels: pixels() }),
    });
    let told;
    do {
      told = await ask(`digits/${digit}`);
      element("progress").value = told.progress;
      if (told.state in STATES) {
        say(waiting(told));
        await wait(POLL_MILLISECONDS);
      }
    } while (told.state in STATES);
    if (told.state === "failed") throw new Error(told.error);
    answered = true;
    say("Decrypted on this computer.");
    showScores(told.scores);
    element("cost").textContent =
      `${told.seconds.toFixed(1)} s, of which the server computed ${told.evaluation_seconds.toFixed(1)} s; ` +
      `${told.sent_bytes.toLocaleString("en")} bytes sent, ${told.received_bytes.toLocaleString("en")} received.`;
  } catch (error) {
    say(error.message, true);
    element("progress").value = 0;
  }
  busy = false;
  show();
}

// What the client process does before the first digit, for people.
function connection(status, seconds) {
  if (status.error) return status.error;
  if (status.state === "making keys") {
    return `Making the secret key and the evaluation keys on this computer: ${seconds} s…`;
  }
  const megabytes = (status.evaluation_key_bytes / 1e6).toFixed(0);
  return status.state === "ready"
    ? `Connected to ${status.server}, which has the evaluation keys (${megabytes} MB) and not the secret key.`
    : `Uploading the evaluation keys, which decrypt nothing (${megabytes} MB): ${seconds} s…`;
}

async function connect() {
  let state, since;
  while (!ready && state !== "failed") {
    try {
      const status = await ask("status");
      if (status.state !== state) [state, since] = [status.state, Date.now()];
      ready = state === "ready";
      element("connection").textContent = connection(status, Math.round((Date.now() - since) / 1000));
    } catch (error) {
      element("connection").textContent = error.message;
    }
    show();
    if (!ready) await wait(1000);
  }
}

paper.canvas.addEventListener("pointerdown", (event) => {
  drawing = true;
  example = null;
  paper.canvas.setPointerCapture(event.pointerId);
  strokes.push([position(event)]);
  show();
});
paper.canvas.addEventListener("pointermove", (event) => {
  if (!drawing) return;
  strokes.at(-1).push(position(event));
  show();
});
for (const end of ["pointerup", "pointercancel"]) {
  paper.canvas.addEventListener(end, () => { drawing = false; });
}
element("classify").addEventListener("click", classify);
function clear() {
  strokes = [];
  example = null;
  say("Nothing drawn yet.");
  show();
}

element("clear").addEventListener("click", clear);
element("example").addEventListener("click", async () => {
  clear();
  try {
    const { pixels, label } = await ask("example");
    example = pixels;
    say(`Someone's ${label}, of UCI's test set.`);
  } catch (error) {
    say(error.message, true);
  }
  show();
});
show();
connect();
