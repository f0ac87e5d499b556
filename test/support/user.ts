/** Nobody in particular: has no rights but its own, and no files but those of a test. */
const ORDINARY = 65_534

export const isRoot = process.getuid?.() === 0

/** Whom tests of what the system lets a user do run as: whoever runs them and, where that is root, someone ordinary. */
export const users = isRoot ? (['root', 'an ordinary user'] as const) : (['an ordinary user'] as const)

export type User = (typeof users)[number]

/** The id of that user, and of its group. */
export function uidOf(user: User): number {
  return isRoot && user === 'an ordinary user' ? ORDINARY : (process.getuid?.() ?? 0)
}

/** Does something with the rights of that user, and no others: the whole process has them until it is done. */
export async function as<Result>(user: User, act: () => Promise<Result>): Promise<Result> {
  const { getgroups, setgroups, setegid, seteuid } = process
  if (uidOf(user) === process.geteuid?.() || !getgroups || !setgroups || !setegid || !seteuid) return act()
  const groups = getgroups()
  setgroups([])
  setegid(ORDINARY)
  seteuid(ORDINARY)
  try {
    return await act()
  } finally {
    seteuid(0)
    setegid(0)
    setgroups(groups)
  }
}
