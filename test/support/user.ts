/** An unprivileged user id that owns only the files of a test. */
const ORDINARY = 65_534

export const isRoot = process.getuid?.() === 0

/** The users for tests of permissions: the current one and, if that is root, an unprivileged one. */
export const users = isRoot ? (['root', 'an ordinary user'] as const) : (['an ordinary user'] as const)

export type User = (typeof users)[number]

/** The id of that user, and of its group. */
export function uidOf(user: User): number {
  return isRoot && user === 'an ordinary user' ? ORDINARY : (process.getuid?.() ?? 0)
}

/** Runs a function with the rights of that user; they apply to the whole process until it is done. */
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
