import { defineEvent, defineRequest } from 'lahja'

/** The bus of the shop: a directory of sockets for the processes of one user. */
export const BUS = 'graceful-restart'

/** The group of all generations of the service, and the queue in which they share events. */
export const SERVICE = 'service'

/** Asks for a price. The response names the generation that answered. */
export const GetPrice = defineRequest<{ item: number }, { price: number; by: string }>('price.get')

/** An item was sold. One generation of the service has to book it. */
export const Sold = defineEvent<{ item: number }>('item.sold')

/** An item was booked. */
export const Booked = defineEvent<{ item: number }>('item.booked')
