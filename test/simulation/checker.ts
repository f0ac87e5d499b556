import { judgeBounds } from './checker/bounds'
import { Case } from './checker/case'
import { judgeCompany } from './checker/company'
import { judgeDeliveries } from './checker/deliveries'
import { judgeLosses } from './checker/losses'
import { judgeNames } from './checker/names'
import { judgePatience } from './checker/patience'
import { judgeRequests } from './checker/requests'
import { judgeShares } from './checker/shares'
import type { Violation } from './checker/violation'
import type { HistoryRecord } from './record'

const JUDGES = [
  judgeDeliveries,
  judgeLosses,
  judgeShares,
  judgeBounds,
  judgePatience,
  judgeCompany,
  judgeNames,
  judgeRequests,
]

/**
 * Every place where a history breaks a guarantee. It knows nothing of how the history came about: each endpoint's
 * records have to be in their order, and all together in the order of their times.
 */
export function check(records: readonly HistoryRecord[]): Violation[] {
  const history = new Case(records)
  return JUDGES.flatMap((judge) => [...judge(history)])
}
