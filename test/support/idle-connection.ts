/** The methods of a connection that do nothing; a test adds `write`. */
export const idleConnection = { attach() {}, end() {}, linger() {}, destroy() {} }
