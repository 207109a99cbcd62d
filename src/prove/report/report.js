// Draws the charts of a report from the JSON in the page; in a dossier each run has its own, beside its figures.
// Colours are the style sheet's, read anew when the scheme changes and for paper.
(() => {
  'use strict';
  const root = document.documentElement;
  const outcomes = ['ok', 'denied', 'limited', 'failed', 'timed_out', 'skipped'];
  const said = name => name.replace('_', ' ');
  const colour = name => getComputedStyle(root).getPropertyValue('--' + name).trim();

  // ---- figures

  const trim = n => String(Number(n.toPrecision(3)));
  const number = n => Math.abs(n) >= 1000 ? Math.round(n).toLocaleString('en') : trim(n);
  const latency = ms => ms === 0 ? '0' : ms < 1 ? trim(ms * 1000) + ' µs' : ms < 1000 ? trim(ms) + ' ms' : trim(ms / 1000) + ' s';
  const clock = s => {
    const whole = Math.round(s), two = n => String(n).padStart(2, '0');
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  };
  const percentile = x => x === 0 ? '' : 'p' + String(Number((100 * (1 - Math.pow(10, -x))).toFixed(Math.max(0, Math.ceil(x) - 1) + 1)));

  // ---- bands: warm-up, faults, windows and where phases begin

  function hatch(context) {
    const tile = document.createElement('canvas');
    tile.width = tile.height = 6;
    const pen = tile.getContext('2d');
    pen.strokeStyle = colour('warm-band');
    pen.lineWidth = 1.2;
    pen.beginPath();
    for (const shift of [-6, 0, 6]) { pen.moveTo(shift, 6); pen.lineTo(shift + 6, 0); }
    pen.stroke();
    return context.createPattern(tile, 'repeat');
  }

  function label(context, text, from, to, y, ink) {
    let room = to - from - 6, shown = text;
    if (room < 14) return;
    while (shown.length > 1 && context.measureText(shown).width > room) shown = shown.slice(0, -2) + '…';
    if (shown === '…') return;
    context.fillStyle = ink;
    context.fillText(shown, from + 3, y);
  }

  // ---- charts

  const charts = [];
  const points = (xs, ys) => xs.map((x, i) => ({x, y: ys[i]}));
  const line = (name, tone, points, more = {}) =>
    ({label: name, tone, data: points, borderWidth: 1.6, pointRadius: 0, pointHitRadius: 6, tension: 0, ...more});

  function paint(chart) {
    for (const set of chart.data.datasets) {
      set.borderColor = colour(set.tone);
      set.backgroundColor = set.fill ? colour(set.tone) + (set.stacked ? 'b0' : '1c') : colour(set.tone);
    }
    for (const scale of Object.values(chart.options.scales)) {
      scale.ticks.color = colour('quiet');
      scale.grid.color = colour('grid');
      if (scale.title) scale.title.color = colour('quiet');
    }
    Object.assign(chart.options.plugins.tooltip, {
      backgroundColor: colour('panel'), borderColor: colour('line'), titleColor: colour('ink'), bodyColor: colour('ink'),
    });
    chart.update('none');
    if (chart.legendButtons) chart.legendButtons();
  }

  function legend(figure, chart) {
    const place = figure.querySelector('.legend');
    if (chart.data.datasets.length < 2 && !chart.data.datasets.some(set => set.stacked)) return;
    chart.legendButtons = () => {
      place.replaceChildren(...chart.data.datasets.flatMap((set, i) => {
        if (set.within !== undefined) return [];  // shown and hidden with another
        const button = document.createElement('button');
        button.type = 'button';
        button.setAttribute('aria-pressed', String(chart.isDatasetVisible(i)));
        const ns = 'http://www.w3.org/2000/svg';
        const sample = document.createElementNS(ns, 'svg');
        const stroke = document.createElementNS(ns, 'line');
        for (const [name, value] of Object.entries({x1: 0, x2: '100%', y1: '50%', y2: '50%', stroke: colour(set.tone),
          'stroke-width': set.stacked ? 8 : 2.4, 'stroke-dasharray': set.borderDash ? '4 3' : ''}))
          stroke.setAttribute(name, value);
        sample.append(stroke);
        button.append(sample, set.label);
        button.onclick = () => {
          const visible = !chart.isDatasetVisible(i);
          chart.data.datasets.forEach((other, k) => {
            if (k === i || other.within === i) chart.setDatasetVisibility(k, visible);
          });
          chart.update('none');
          chart.legendButtons();
        };
        return [button];
      }));
    };
  }

  // ---- of one run: what its data draw in the figures of `around`

  function drawRun(data, around) {
    const spanned = data.spans.length > 0, top = spanned ? 30 : 16;  // room above a plot, for one row of names or two

    const bands = {
      id: 'bands',
      beforeDatasetsDraw(chart) {
        const {ctx, chartArea: area, scales: {x}} = chart;
        const place = s => Math.min(Math.max(x.getPixelForValue(s), area.left), area.right);
        ctx.save();
        ctx.font = '11px system-ui, sans-serif';
        ctx.textBaseline = 'bottom';
        for (const phase of data.phases) {
          const from = place(phase.from), to = place(phase.to);
          if (phase.warm_up) {
            ctx.fillStyle = hatch(ctx);
            ctx.fillRect(from, area.top, to - from, area.bottom - area.top);
          }
          ctx.strokeStyle = colour('phase-line');
          ctx.setLineDash([3, 3]);
          if (phase.from > 0) {
            ctx.beginPath();
            ctx.moveTo(from, area.top - top);
            ctx.lineTo(from, area.bottom);
            ctx.stroke();
          }
          label(ctx, phase.name, from, to, area.top - top + 14, colour('quiet'));
        }
        ctx.setLineDash([]);
        for (const span of data.spans) {
          const from = place(span.from), to = Math.max(place(span.to), from + 1.5);
          const tone = span.fault ? 'fault-band' : 'window-band';
          ctx.fillStyle = colour(tone);
          ctx.fillRect(from, area.top, to - from, area.bottom - area.top);
        }
        ctx.strokeStyle = colour('fail');
        for (const at of data.bad) {
          ctx.beginPath();
          ctx.moveTo(place(at), area.top);
          ctx.lineTo(place(at), area.bottom);
          ctx.stroke();
        }
        const spans = [...data.spans].sort((a, b) => a.from - b.from);
        spans.forEach((span, i) => {  // the name may run on beyond a short fault, up to the next one
          const from = place(span.from);
          const next = i + 1 < spans.length ? place(spans[i + 1].from) : area.right;
          label(ctx, span.name, from, next, area.top - 2, colour(span.fault ? 'fail' : 'accent'));
        });
        if (pointed !== null && pointed >= x.min && pointed <= x.max) {
          ctx.strokeStyle = colour('phase-line');
          ctx.beginPath();
          ctx.moveTo(place(pointed), area.top);
          ctx.lineTo(place(pointed), area.bottom);
          ctx.stroke();
        }
        ctx.restore();
      },
    };

    // What one chart is pointed at, all others mark.
    let pointed = null;
    const cursor = {
      id: 'cursor',
      afterEvent(chart, {event}) {
        if (event.type !== 'mousemove' && event.type !== 'mouseout') return;
        const value = event.type === 'mouseout' ? null : chart.scales.x.getValueForPixel(event.x);
        if (value === pointed) return;
        pointed = value;
        for (const other of timeCharts) if (other !== chart) other.draw();
      },
    };

    const timeCharts = [];

    function draw(figure, datasets, {x, y, title, value, timed}) {
      const chart = new Chart(figure.querySelector('canvas'), {
        type: 'line',
        data: {datasets},
        plugins: timed ? [bands, cursor] : [],
        options: {
          animation: false, parsing: false, normalized: true, responsive: true, maintainAspectRatio: false,
          events: ['mousemove', 'mouseout', 'click', 'touchstart', 'touchmove'],
          layout: {padding: {top: timed ? top : 4, right: 6}},
          interaction: {mode: timed ? 'index' : 'nearest', axis: 'x', intersect: false},
          // One left margin for all that share a time axis, so that their bands line up.
          scales: {x, y: timed ? {...y, afterFit: axis => { axis.width = 60; }} : y},
          plugins: {
            legend: {display: false},
            tooltip: {
              borderWidth: 1, padding: 9, cornerRadius: 6, boxWidth: 8, boxHeight: 8, boxPadding: 4, usePointStyle: true,
              titleFont: {weight: '600'},
              callbacks: {
                title: items => items.length ? title(items[0].parsed.x) : '',
                label: item => ` ${item.dataset.label}: ${value(item.parsed.y)}`,
              },
            },
          },
        },
      });
      charts.push(chart);
      if (timed) timeCharts.push(chart);
      legend(figure, chart);
      paint(chart);
      return chart;
    }

    // Round steps of a clock, some eight of them.
    const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400]
      .find(s => data.end / s <= 8) || 86400;
    const timeAxis = () => ({
      type: 'linear', min: 0, max: data.end, grid: {display: false}, border: {display: false},
      ticks: {stepSize: step, maxRotation: 0, autoSkipPadding: 12, callback: clock},
    });
    const linear = (callback, more = {}) => ({
      type: 'linear', beginAtZero: true, grid: {drawBorder: false}, ticks: {maxTicksLimit: 6, callback}, ...more,
    });
    const decades = () => ({
      type: 'logarithmic', grid: {drawBorder: false},
      ticks: {callback: ms => /^[125]e/.test(ms.toExponential()) ? latency(ms) : null, autoSkip: true, maxTicksLimit: 9},
    });

    const at = data.intervals.at, rows = data.intervals;
    const some = values => values.some(v => v > 0);
    const positive = values => values.map(v => v > 0 ? v : null);  // a log scale has no zero
    const timed = {x: timeAxis, timed: true, title: clock};

    const makers = {
      rate(figure) {
        const done = at.map((_, i) => outcomes.slice(0, 5).reduce((sum, o) => sum + rows[o][i], 0));
        const sets = [line('done', 'ok', points(at, done), {fill: true})];
        if (some(rows.offered)) sets.push(line(data.journeys ? 'journeys offered' : 'offered', 'all', points(at, rows.offered), {borderDash: [5, 4], borderWidth: 1.3}));
        draw(figure, sets, {...timed, x: timeAxis(), y: linear(number), value: v => number(v) + '/s'});
      },
      latency(figure) {
        const sets = [['p50', 'p50'], ['p95', 'p95'], ['p99', 'p99'], ['max', 'skipped']].map(([name, tone]) =>
          line(name, tone, points(at, positive(rows[name])), name === 'max' ? {borderWidth: 1} : {}));
        sets.push(line('service p99', 'limited', points(at, positive(rows.service_p99)), {borderDash: [4, 3], borderWidth: 1.2}));
        draw(figure, sets, {...timed, x: timeAxis(), y: decades(), value: latency});
      },
      outcomes(figure) {
        const sets = outcomes.filter(o => some(rows[o])).map((o, i) =>
          line(said(o), o, points(at, rows[o]), {fill: i ? '-1' : 'origin', stacked: true, borderWidth: 0.5}));
        draw(figure, sets, {...timed, x: timeAxis(), y: linear(number, {stacked: true}), value: v => number(v) + '/s'});
      },
      hits: figure => targets(figure, data.targets.hits, linear(v => v + ' %', {max: 100}), v => trim(v) + ' %'),
      rss: figure => targets(figure, data.targets.rss, linear(number), v => number(v) + ' MiB'),
      cpu: figure => targets(figure, data.targets.cpu, linear(number), v => trim(v)),
      busy(figure) {
        draw(figure, [line('busy', 'all', points(at, rows.busy), {fill: true})],
          {...timed, x: timeAxis(), y: linear(v => v + ' %', {suggestedMax: 100}), value: v => trim(v) + ' %'});
      },
      percentiles(figure) {
        const sets = [];
        for (const {outcome, response, service, run, tone} of data.percentiles) {
          const many = data.percentiles.length > 1;
          const pairs = list => list.map(([x, y]) => ({x, y: y > 0 ? y : null}));
          sets.push(line(run || (many ? said(outcome) : 'response'), tone || outcome, pairs(response), {borderWidth: outcome === 'all' ? 2.4 : 1.6}));
          if (!service.length) continue;
          sets.push(line(many ? said(outcome) + ', service' : 'service', outcome, pairs(service),
            {borderDash: [5, 4], borderWidth: 1.3, ...(many ? {within: sets.length - 1} : {})}));
        }
        const last = Math.max(1, ...data.percentiles.map(p => p.response.length ? p.response[p.response.length - 1][0] : 0));
        const x = {type: 'linear', min: 0, max: last, grid: {display: true, drawBorder: false},
          afterBuildTicks: axis => { axis.ticks = [0, 0.30103, 1, 2, 3, 4, 5, 6].filter(v => v <= last).map(value => ({value})); },
          ticks: {maxRotation: 0, autoSkip: false, callback: percentile}};
        draw(figure, sets, {x, y: decades(), title: x => percentile(x) || 'the least', value: latency, timed: false});
      },
    };

    const tones = ['denied', 'limited', 'ok', 'timed_out', 'all', 'failed'];
    function targets(figure, lines, y, value) {
      const sets = lines.map((l, i) =>
        line(l.name, tones[i % tones.length], points(l.x, l.y), {fill: lines.length === 1}));
      draw(figure, sets, {...timed, x: timeAxis(), y, value});
    }

    for (const figure of around.querySelectorAll('[data-chart]')) makers[figure.dataset.chart](figure);
  }

  root.classList.add('drawn');
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 11;
  for (const island of document.querySelectorAll('script[type="application/json"]'))
    drawRun(JSON.parse(island.textContent), island.closest('[data-run]') || document);

  const repaint = () => charts.forEach(paint);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint);
  addEventListener('beforeprint', () => { root.classList.add('print'); repaint(); charts.forEach(c => c.resize()); });
  addEventListener('afterprint', () => { root.classList.remove('print'); repaint(); charts.forEach(c => c.resize()); });
  root.dataset.charts = String(charts.length);  // for whoever wants to know that they are drawn
})();
