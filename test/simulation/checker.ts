import { judgeBounds } from './checker/bounds'
import { judgeCloses } from './checker/closes'
import { judgeDeliveries } from './checker/deliveries'
import { JudgedHistory } from './checker/judged-history'
import { judgeLosses } from './checker/losses'
import { judgeMembership } from './checker/membership'
import { judgeNames } from './checker/names'
import { judgePatience } from './checker/patience'
import { judgeRequestOrder } from './checker/request-order'
import { judgeRequests } from './checker/requests'
import { judgeHeld, judgeKept, judgeKeys, judgeShares } from './checker/shares'
import type { Violation } from './checker/violation'
import type { HistoryRecord } from './record'

const JUDGES = [
  judgeDeliveries,
  judgeLosses,
  judgeShares,
  judgeKept,
  judgeHeld,
  judgeKeys,
  judgeBounds,
  judgePatience,
  judgeMembership,
  judgeNames,
  judgeRequests,
  judgeRequestOrder,
  judgeCloses,
]

/**
 * Every place where a history breaks a guarantee. It knows nothing of how the history came about: each endpoint's
 * records have to be in their order, and all together in the order of their times.
 */
export function check(records: readonly HistoryRecord[]): Violation[] {
  const history = new JudgedHistory(records)
  return JUDGES.flatMap((judge) => [...judge(history)])
}
