import type { Outcome } from './comparison'
import { requirePeer } from './contenders/peers'
import { median } from './median'

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

const FONT = 'system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif'
const WIDTH = 960
const HEIGHT = 500

/** The bars of all broadcasts: each contender once in each group. */
export function barsOf(outcomes: readonly Outcome[]): Bar[] {
  const bars = new Map<string, Bar>()
  for (const { ours, theirs = '', our, their, figure } of outcomes) {
    if (figure !== 'eventsPerSecond') continue
    for (const [id, values] of [[ours, our] as const, [theirs, their] as const]) {
      const [group = '', contender = ''] = id.split('/')
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
        subtextStyle: { fontSize: 12, color: '#475569' },
      },
      legend: { data: contenders, top: 78, left: 20, itemWidth: 14, itemHeight: 14, textStyle: { color: '#334155' } },
      grid: { left: 76, right: 24, top: 124, bottom: 56 },
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
        name: 'deliveries/s',
        nameTextStyle: { color: '#475569', align: 'left' },
        axisLabel: { color: '#475569', formatter: thousands },
        splitLine: { lineStyle: { color: '#e2e8f0' } },
      },
      series: contenders.flatMap((contender, index) =>
        seriesOf(contender, groups, bars, { index, count: contenders.length }),
      ),
    })
    return chart.renderToSVGString()
  } finally {
    chart.dispose()
  }
}

/** Of all bars of a group, which one, of how many. */
interface Place {
  readonly index: number
  readonly count: number
}

/** Shares of a group's width. */
const GROUP_SHARE = 0.8

function seriesOf(contender: string, groups: readonly string[], bars: readonly Bar[], place: Place): object[] {
  const found = groups.map((group) => bars.find((bar) => bar.group === group && bar.contender === contender))
  const spreads = found.flatMap((bar, group) =>
    bar && bar.values.length > 1 ? [[group, Math.min(...bar.values), Math.max(...bar.values)]] : [],
  )
  return [
    {
      name: contender,
      type: 'bar',
      barCategoryGap: `${(1 - GROUP_SHARE) * 100}%`,
      barGap: '0%',
      itemStyle: { color: COLOURS[contender], borderRadius: [2, 2, 0, 0] },
      data: found.map((bar) => (bar ? median(bar.values) : null)),
    },
    {
      name: contender,
      type: 'custom',
      z: 5,
      data: spreads,
      renderItem: (_: unknown, api: DrawingApi) => whisker(api, place),
    },
  ]
}

/** From the least to the most, in the middle of its bar. */
function whisker(api: DrawingApi, { index, count }: Place): object {
  const group = api.value(0)
  const [width] = api.size([1, 0])
  const bar = (width * GROUP_SHARE) / count
  const [middle, low] = api.coord([group, api.value(1)])
  const [, high] = api.coord([group, api.value(2)])
  const x = middle + (index - (count - 1) / 2) * bar
  const half = Math.min(4, bar / 4)
  const line = (x1: number, y1: number, x2: number, y2: number) => ({
    type: 'line',
    shape: { x1, y1, x2, y2 },
    style: { stroke: '#0f172a', lineWidth: 1 },
  })
  const children = [line(x, low, x, high), line(x - half, low, x + half, low), line(x - half, high, x + half, high)]
  return { type: 'group', children }
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
