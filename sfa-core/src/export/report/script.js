// The time cursor and zoom. Everything else on the page works without it.
(() => {
  "use strict";
  const song = JSON.parse(document.getElementById("song").textContent);
  const scroll = document.getElementById("scroll");
  const lanes = document.getElementById("lanes");
  const plot = document.getElementById("plot");
  const readout = document.getElementById("readout");
  const zoomBox = document.getElementById("zoom");
  const zoomLevel = document.getElementById("zoom-level");
  if (!(song.duration > 0)) return;

  const cursor = plot.appendChild(document.createElement("i"));
  cursor.className = "cursor";
  const maxZoom = Math.max(1, 2 ** Math.round(Math.log2(song.duration / 6)));
  let zoom = 1;
  let now = 0;

  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

  // The index of the last entry that is not after the value, or -1.
  const lastBefore = (list, value, of = (entry) => entry) => {
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (of(list[middle]) <= value) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  };

  const clock = (secs) => {
    const ms = Math.round(secs * 1000);
    const pad = (value, digits) => String(value).padStart(digits, "0");
    const hours = Math.floor(ms / 3600000);
    const minutes = Math.floor(ms / 60000) % 60;
    const seconds = `${pad(Math.floor(ms / 1000) % 60, 2)}.${pad(ms % 1000, 3)}`;
    return hours > 0 ? `${hours}:${pad(minutes, 2)}:${seconds}` : `${minutes}:${seconds}`;
  };

  const valueAt = (curve, secs) =>
    curve ? curve.values[clamp(Math.floor(secs / curve.hop), 0, curve.values.length - 1)] : undefined;

  const describe = (secs) => {
    const parts = [["time", clock(secs)]];
    if (song.beats.length > 0) {
      const beat = lastBefore(song.beats, secs * 1000 + 1);
      parts.push(["bar", beat < 0 ? "–" : song.places[beat]]);
    }
    const section = song.sections[lastBefore(song.sections, secs + 0.001, (entry) => entry[0])];
    if (section) parts.push(["in", section[1]]);
    const energy = valueAt(song.energy, secs);
    if (energy !== undefined) parts.push(["energy", `${Math.round(energy * 100)} %`]);
    const loudness = valueAt(song.loudness, secs);
    if (loudness !== undefined) parts.push(["LUFS", String(loudness.toFixed(1)).replace("-", "−")]);
    return parts;
  };

  const show = (secs) => {
    now = clamp(secs, 0, song.duration);
    cursor.style.left = `${(now / song.duration) * 100}%`;
    cursor.hidden = false;
    const parts = describe(now);
    readout.replaceChildren(
      ...parts.map(([name, value]) => {
        const cell = document.createElement("span");
        const label = document.createElement("small");
        label.textContent = name;
        cell.append(label, value);
        cell.className = `r-${name}`;
        return cell;
      }),
    );
    const slider = document.getElementById("scrub");
    if (slider) {
      slider.setAttribute("aria-valuenow", now.toFixed(3));
      slider.setAttribute("aria-valuetext", parts.map((part) => part.join(" ")).join(", "));
    }
  };

  const secsAt = (clientX) => {
    const box = plot.getBoundingClientRect();
    return ((clientX - box.left) / box.width) * song.duration;
  };

  const reveal = () => {
    const box = plot.getBoundingClientRect();
    const view = scroll.getBoundingClientRect();
    const x = box.left + (now / song.duration) * box.width;
    const left = view.left + plot.offsetLeft;
    if (x < left + 24 || x > view.right - 24) scroll.scrollLeft += x - (left + view.right) / 2;
  };

  // Zooms around a moment, which stays where it is on the screen.
  const zoomTo = (wanted, secs = now) => {
    const moment = clamp(secs, 0, song.duration) / song.duration;
    const screenX = () => plot.getBoundingClientRect().left + moment * plot.getBoundingClientRect().width;
    const before = screenX();
    zoom = clamp(wanted, 1, maxZoom);
    lanes.style.setProperty("--zoom", zoom);
    lanes.dataset.detail = zoom >= 16 ? "beats" : zoom >= 4 ? "bars" : "phrases";
    scroll.scrollLeft += screenX() - before;
    zoomLevel.textContent = `${zoom < 10 ? Math.round(zoom * 10) / 10 : Math.round(zoom)}×`;
    for (const button of zoomBox.querySelectorAll("button")) {
      button.disabled = button.dataset.zoom > 1 ? zoom >= maxZoom : zoom <= 1;
    }
  };

  lanes.addEventListener("pointermove", (event) => {
    const secs = secsAt(event.clientX);
    if (secs >= 0 && secs <= song.duration) show(secs);
  });
  lanes.addEventListener("pointerdown", (event) => show(secsAt(event.clientX)));
  scroll.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoomTo(zoom * 2 ** (-event.deltaY / 200), secsAt(event.clientX));
    },
    { passive: false },
  );
  zoomBox.addEventListener("click", (event) => {
    const factor = Number(event.target.dataset.zoom);
    if (factor) zoomTo(zoom * factor);
  });

  // The ruler is the cursor's handle on the keyboard: arrows step by beats, or by seconds where there are none.
  const scrub = document.getElementById("scrub");
  if (scrub) {
    const attributes = {
      role: "slider",
      tabindex: "0",
      "aria-label": "Time cursor",
      "aria-valuemin": "0",
      "aria-valuemax": song.duration.toFixed(3),
    };
    for (const [name, value] of Object.entries(attributes)) scrub.setAttribute(name, value);
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -16, PageUp: 16 };
    scrub.addEventListener("keydown", (event) => {
      const step = steps[event.key];
      if (step) {
        const count = step * (event.shiftKey ? 4 : 1);
        const beat = lastBefore(song.beats, now * 1000 + 1);
        const next = song.beats[clamp(beat + count, 0, song.beats.length - 1)];
        show(next === undefined ? now + count : next / 1000);
      } else if (event.key === "Home") show(0);
      else if (event.key === "End") show(song.duration);
      else if (event.key === "+") zoomTo(zoom * 2);
      else if (event.key === "-") zoomTo(zoom / 2);
      else return;
      event.preventDefault();
      reveal();
    });
  }

  // A row of a table puts the cursor where it is about.
  for (const row of document.querySelectorAll("tr[data-at]")) {
    row.addEventListener("click", () => {
      show(Number(row.dataset.at));
      reveal();
    });
  }

  readout.hidden = false;
  zoomBox.hidden = false;
  zoomTo(1, 0);
  show(song.beats.length > 0 ? song.beats[0] / 1000 : 0);
})();
