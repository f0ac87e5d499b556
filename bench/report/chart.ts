import { loadPeer } from '../contenders/packages'
import type { Outcome } from '../measure/comparison'
import { median } from '../measure/median'
import { quantity } from '../measure/quantity'

/** The events per second of one contender in one group of rows, by round. */
export interface Bar {
  readonly contender: string
  readonly group: string
  readonly values: readonly number[]
}

/** The part of echarts that is used. */
interface Echarts {
  init(
    dom: null,
    theme: null,
    options: object,
  ): { setOption(option: object): void; renderToSVGString(): string; dispose(): void }
}

/** The argument of a custom series' `renderItem`. */
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

/** Without quotes, as it is written into a quoted attribute. */
const FONT = 'system-ui, Helvetica, Arial, sans-serif'

/** A bar for each contender of each broadcast, unless it has failed. */
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

/** Draws the medians as bars from zero, with lines from the least to the most. Returns the text of an SVG file. */
export function chartOf(bars: readonly Bar[], subtitle: string): string {
  const groups = [...new Set(bars.map(({ group }) => group))]
  const contenders = Object.keys(COLOURS).filter((name) => bars.some(({ contender }) => contender === name))
  const { init } = loadPeer<Echarts>('echarts', 'init')
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 960, height: 500 })
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

/** The bars of one contender. A group has room only for the contenders in it. */
function seriesOf(contender: string, groups: readonly string[], bars: readonly Bar[], contenders: readonly string[]) {
  const data = groups.flatMap((group, number) => {
    const inGroup = contenders.filter((name) => bars.some((bar) => bar.group === group && bar.contender === name))
    const { values } = bars.find((bar) => bar.group === group && bar.contender === contender) ?? {}
    if (!values) return []
    const place = [inGroup.indexOf(contender), inGroup.length]
    return [[number, median(values), Math.min(...values), Math.max(...values), ...place]]
  })
  const color = COLOURS[contender] ?? ''
  return {
    name: contender,
    type: 'custom',
    silent: true,
    itemStyle: { color },
    encode: { x: 0, y: [1, 2, 3] },
    data,
    renderItem: (_: unknown, api: DrawingApi) => drawn(api, color),
  }
}

/** Shares of a group's width, and of a bar's. */
const GROUP_SHARE = 0.84
const BAR_SHARE = 0.9

/** A bar to the median, and a line from the least to the most. */
function drawn(api: DrawingApi, fill: string): object {
  const [group = 0, middle = 0, least = 0, most = 0, index = 0, count = 0] = [0, 1, 2, 3, 4, 5].map((dimension) => {
    return api.value(dimension)
  })
  const width = (api.size([1, 0])[0] * GROUP_SHARE) / Math.max(5, count)
  const x = api.coord([group, 0])[0] + (index - (count - 1) / 2) * width
  const [bottom = 0, top = 0, low = 0, high = 0] = [0, middle, least, most].map((value) => api.coord([group, value])[1])
  const bar = { x: x - (width * BAR_SHARE) / 2, y: top, width: width * BAR_SHARE, height: bottom - top }
  const half = Math.min(4, width / 4)
  const line = (x1: number, y1: number, x2: number, y2: number) => ({
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
  return `${payload === 'binary' ? '100 bytes' : '10 fields'}\n${quantity(Number(consumers), 'consumer')}`
}

function thousands(value: number): string {
  return value === 0 ? '0' : value % 1e6 === 0 ? `${value / 1e6} M` : `${(value / 1000).toLocaleString('en')} k`
}
