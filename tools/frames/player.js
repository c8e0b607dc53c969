/* Recorded figures: each figure.explore has a script of frames, loaded when it comes near.
   A frame is a row of numbers, one for each artist that ever changes; a move replaces
   only those artists. Scripts and inline SVG alone, so it works from a folder, too. */
(() => {
  "use strict";
  const NARROW = matchMedia("(max-width: 46em)");
  const STILL = matchMedia("(prefers-reduced-motion: reduce)");
  const PANEL = 500; // pixels of the notebook that a narrow screen can show in one row
  const waiting = new Map();

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  }

  /* a script of frames calls this with its name and its data */
  window.courseFrames = (name, size, letters) => {
    const figure = waiting.get(name);
    unpack(size, letters).then(data => new Player(figure, data)).catch(error => console.error(name, error));
  };

  /* each letter holds 15 bits of a deflated JSON of `size` bytes; FIRST of kernel.py is 0 */
  async function unpack(size, letters) {
    const bytes = new Uint8Array(size);
    for (let i = 0, place = 0, bits = 0, count = 0; i < letters.length; i++) {
      bits = bits << 15 | letters.charCodeAt(i) - 0x5800;
      for (count += 15; count >= 8; place++) bytes[place] = bits >> (count -= 8);
    }
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  }

  function load(figure) {
    waiting.set(figure.dataset.frames, figure);
    document.head.append(make("script", {src: figure.dataset.src}));
  }

  class Player {
    constructor(figure, data) {
      Object.assign(this, data);
      this.figure = figure;
      this.image = figure.querySelector("img");
      this.alt = this.image.getAttribute("alt");
      this.draw();
      this.inputs = this.controls.map(control => this.input(control));
      this.first = this.index();
      this.figure.prepend(this.panel());
      this.show();
      this.image.replaceWith(this.svg);
      figure.classList.add("ready");
    }

    /* the first frame; a group for each artist, so that one can be replaced */
    draw() {
      const {defs, base, box, width} = this;
      this.svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      this.svg.setAttribute("role", "img");
      this.svg.style.maxWidth = `${width}px`;
      const groups = base.map(piece => `<g>${this.look(piece)}</g>`).join("");
      this.svg.innerHTML = `<defs>${defs}</defs>${groups}`;
      this.artists = [...this.svg.children].slice(1);
      this.shown = this.slots.map(place => base[place]);
      this.fit = () => this.arrange(box, NARROW.matches && this.cuts.length);
      NARROW.addEventListener("change", this.fit);
      this.fit();
    }

    look(piece) {
      return this.table[piece].replace(/@(\d+);/g, (_, number) => this.images[number]);
    }

    /* on a narrow screen the panels stand below each other */
    arrange([width, height], broken) {
      const edges = [0, ...this.cuts, width], count = edges.length - 1;
      const inARow = broken ? Math.max(1, Math.floor(PANEL * count / this.width)) : count;
      const left = panel => edges[panel - panel % inARow];
      const rows = Math.ceil(count / inARow);
      const wide = Math.max(...Array.from({length: rows}, (_, row) =>
        edges[Math.min(count, (row + 1) * inARow)] - edges[row * inARow]));
      this.svg.setAttribute("viewBox", `0 0 ${wide} ${rows * height}`);
      this.svg.style.setProperty("--width", `${wide * this.width / width}px`);
      this.artists.forEach((artist, place) => {
        const panel = this.panels[place], down = Math.floor(panel / inARow) * height;
        if (broken) artist.setAttribute("transform", `translate(${-left(panel)} ${down})`);
        else artist.removeAttribute("transform");
      });
    }

    /* a native element for each control; its value is the number of its position */
    input(control) {
      const {kind, labels, start} = control, most = labels.length - 1;
      let input;
      if (kind === "menu") {
        input = make("select", {}, ...labels.map((text, i) => make("option", {value: i}, text)));
        input.value = start;
      } else if (kind === "box") {
        input = make("input", {type: "checkbox"});
        input.checked = start === 1;
      } else {
        input = make("input", {type: "range", min: 0, max: most, step: 1, value: start});
      }
      input.addEventListener("input", () => { this.stop?.(); this.ask(); });
      return input;
    }

    place(i) {
      const input = this.inputs[i];
      return input.type === "checkbox" ? +input.checked : +input.value;
    }

    index() {
      return this.controls.reduce((k, control, i) => k * control.labels.length + this.place(i), 0);
    }

    panel() {
      this.values = this.inputs.map(() => make("output"));
      const rows = this.controls.map((control, i) =>
        make("label", {class: control.kind}, make("span", {}, control.label), this.inputs[i],
          ...(this.inputs[i].type === "range" ? [this.values[i]] : [])));
      const moving = rows.filter((_, i) => this.controls[i].labels.length > 1);
      const panel = make("div", {class: "controls"}, ...moving);
      if (this.interval) panel.prepend(this.button());
      const reset = make("button", {type: "button"}, "Reset");
      reset.addEventListener("click", () => { this.stop?.(); this.reset(); });
      panel.append(reset);
      return panel;
    }

    reset() {
      this.controls.forEach(({start}, i) => {
        const input = this.inputs[i];
        if (input.type === "checkbox") input.checked = start === 1; else input.value = start;
      });
      this.ask();
    }

    /* play and pause; where motion is unwelcome, one picture for each press */
    button() {
      const button = make("button", {type: "button", class: "play"}), film = this.inputs[0];
      let timer = 0;
      const say = () => { button.textContent = STILL.matches ? "Next" : timer ? "Pause" : "Play"; };
      const step = () => { film.value = +film.value + 1; this.ask(); };
      const ended = () => +film.value >= +film.max;
      this.stop = () => { clearInterval(timer); timer = 0; say(); };
      button.addEventListener("click", () => {
        if (timer) return this.stop();
        if (ended()) { film.value = 0; this.ask(); } else if (STILL.matches) step();
        if (!STILL.matches) timer = setInterval(() => ended() ? this.stop() : step(), this.interval);
        say();
      });
      STILL.addEventListener("change", this.stop);
      say();
      return button;
    }

    ask() {
      if (this.asked) return;
      this.asked = true;
      requestAnimationFrame(() => { this.asked = false; this.show(); });
    }

    show() {
      const k = this.index(), row = this.rows[k], title = this.titles[k];
      row.forEach((piece, s) => {
        if (piece !== this.shown[s]) {
          this.shown[s] = piece;
          this.artists[this.slots[s]].innerHTML = this.look(piece);
        }
      });
      this.svg.setAttribute("aria-label", k === this.first ? this.alt : title || this.alt);
      this.inputs.forEach((input, i) => {
        const text = this.controls[i].labels[this.place(i)];
        this.values[i].textContent = text;
        if (input.type === "range") input.setAttribute("aria-valuetext", title ? `${text}. ${title}` : text);
      });
    }
  }

  const figures = document.querySelectorAll("figure.explore[data-frames]");
  if (!("DecompressionStream" in window)) return; // an older browser keeps the picture
  const near = new IntersectionObserver(entries => entries.forEach(entry => {
    if (entry.isIntersecting) { near.unobserve(entry.target); load(entry.target); }
  }), {rootMargin: "800px"});
  figures.forEach(figure => near.observe(figure));
})();
