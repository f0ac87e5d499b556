import { requirePeer } from '../contenders/packages'
import type { Outcome } from '../measure/comparison'
import { median } from '../measure/median'

/** What one contender reached in one group of rows: events a second, one figure of each round. */
export interface Bar {
  readonly contender: string
  readonly group: string
  readonly values: readonly number[]
}

/** What is used of echarts. */
interface Echarts {
  init(
    dom: null,
    theme: null,
    options: object,
  ): { setOption(option: object): void; renderToSVGString(): string; dispose(): void }
}

/** What echarts gives a series that draws itself. */
interface DrawingApi {
  value(dimension: number): number
  coord(point: readonly [number, number]): readonly [number, number]
  size(point: readonly [number, number]): readonly [number, number]
}

const COLOURS: Readonly<Record<string, string>> = {
  lahja: '#0f766e',
  loop: '#64748b',
  'loop-records': '#94a3b8',
  raw: '#cbd5e1',
  zeromq: '#d97706',
  nats: '#2563eb',
  redis: '#dc2626',
  ipc: '#7c3aed',
}

/** Without quotes, which would end the attribute that it is written into. */
const FONT = 'system-ui, Helvetica, Arial, sans-serif'
const WIDTH = 960
const HEIGHT = 500

/** The bars of all broadcasts: each contender once in each group, where it has taken part in all rounds. */
export function barsOf(outcomes: readonly Outcome[]): Bar[] {
  const bars = new Map<string, Bar>()
  for (const { ours, theirs = '', our, their, figure, failures } of outcomes) {
    if (figure !== 'eventsPerSecond') continue
    for (const [id, values] of [[ours, our] as const, [theirs, their] as const]) {
      const [group = '', contender = ''] = id.split('/')
      if (failures.some(({ trial }) => trial === id)) continue
      if (/^(binary|object)-\d+$/.test(group) && values.length > 0) bars.set(id, { contender, group, values })
    }
  }
  return [...bars.values()]
}

/** Draws bars from zero on, with the least and the most of the rounds. Returns the text of an SVG file. */
export function chartOf(bars: readonly Bar[], subtitle: string): string {
  const groups = [...new Set(bars.map(({ group }) => group))]
  const contenders = Object.keys(COLOURS).filter((name) => bars.some(({ contender }) => contender === name))
  const chart = echarts().init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT })
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#ffffff',
      textStyle: { fontFamily: FONT },
      title: {
        text: 'Broadcast: deliveries per second',
        subtext: subtitle,
        left: 24,
        top: 16,
        textStyle: { fontSize: 20, color: '#0f172a' },
        subtextStyle: { fontSize: 12, lineHeight: 17, color: '#475569' },
      },
      legend: {
        data: contenders,
        bottom: 16,
        left: 'center',
        icon: 'rect',
        itemWidth: 13,
        itemHeight: 13,
        itemGap: 22,
        textStyle: { color: '#334155', fontSize: 12 },
      },
      grid: { left: 76, right: 24, top: 112, bottom: 96 },
      xAxis: {
        type: 'category',
        data: groups.map(labelOf),
        axisTick: { show: false },
        axisLine: { lineStyle: { color: '#94a3b8' } },
        axisLabel: { color: '#334155', fontSize: 12, lineHeight: 16, interval: 0 },
      },
      yAxis: {
        type: 'value',
        min: 0,
        axisLabel: { color: '#475569', formatter: thousands },
        splitLine: { lineStyle: { color: '#e2e8f0' } },
      },
      series: contenders.map((contender) => seriesOf(contender, groups, bars, contenders)),
    })
    return chart.renderToSVGString()
  } finally {
    chart.dispose()
  }
}

/** Shares of a group's width, and of a bar's. */
const GROUP_SHARE = 0.84
const BAR_SHARE = 0.9

/** One contender's bars. Each group has room only for those who are in it. */
function seriesOf(contender: string, groups: readonly string[], bars: readonly Bar[], contenders: readonly string[]) {
  const data = groups.flatMap((group, number) => {
    const inGroup = contenders.filter((name) => bars.some((bar) => bar.group === group && bar.contender === name))
    const bar = bars.find((each) => each.group === group && each.contender === contender)
    if (!bar) return []
    const { values } = bar
    return [
      [number, median(values), Math.min(...values), Math.max(...values), inGroup.indexOf(contender), inGroup.length],
    ]
  })
  return {
    name: contender,
    type: 'custom',
    silent: true,
    itemStyle: { color: COLOURS[contender] },
    encode: { x: 0, y: [1, 2, 3] },
    data,
    renderItem: (_: unknown, api: DrawingApi) => drawn(api, COLOURS[contender] ?? ''),
  }
}

/** A bar from zero to the median, and a line from the least to the most. */
function drawn(api: DrawingApi, fill: string): object {
  const [group, middle, least, most, index, count] = [0, 1, 2, 3, 4, 5].map((dimension) => api.value(dimension))
  const width = (api.size([1, 0])[0] * GROUP_SHARE) / Math.max(5, count ?? 0)
  const at = (value = 0) => api.coord([group ?? 0, value])
  const x = at()[0] + ((index ?? 0) - ((count ?? 0) - 1) / 2) * width
  const [bottom, top, low, high] = [at(0), at(middle), at(least), at(most)].map(([, y]) => y)
  const bar = { x: x - (width * BAR_SHARE) / 2, y: top, width: width * BAR_SHARE, height: (bottom ?? 0) - (top ?? 0) }
  const half = Math.min(4, width / 4)
  const line = (x1: number, y1 = 0, x2 = 0, y2 = 0) => ({
    type: 'line',
    shape: { x1, y1, x2, y2 },
    style: { stroke: '#0f172a', lineWidth: 1 },
  })
  const whisker = [line(x, low, x, high), line(x - half, low, x + half, low), line(x - half, high, x + half, high)]
  return {
    type: 'group',
    children: [{ type: 'rect', shape: bar, style: { fill } }, ...(most === least ? [] : whisker)],
  }
}

function labelOf(group: string): string {
  const [payload, consumers] = group.split('-')
  return `${payload === 'binary' ? '100 bytes' : '10 fields'}\n${consumers} consumer${consumers === '1' ? '' : 's'}`
}

function thousands(value: number): string {
  return value === 0 ? '0' : value % 1e6 === 0 ? `${value / 1e6} M` : `${(value / 1000).toLocaleString('en')} k`
}

function echarts(): Echarts {
  const found: unknown = requirePeer('echarts')
  if (isEcharts(found)) return found
  throw new TypeError('expected echarts with init')
}

function isEcharts(value: unknown): value is Echarts {
  return typeof value === 'object' && value !== null && 'init' in value && typeof value.init === 'function'
}
