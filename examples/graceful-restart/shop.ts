import { defineEvent, defineRequest } from 'lahja'

/** The bus of the shop: a directory with sockets, shared by all processes of one user. */
export const BUS = 'graceful-restart'

/** The group of all generations of the service, and the queue by which they share what is published. */
export const SERVICE = 'service'

/** Asks for a price; the answer says who has answered. */
export const GetPrice = defineRequest<{ item: number }, { price: number; by: string }>('price.get')

/** Something was sold, and has to be booked by one of the service. */
export const Sold = defineEvent<{ item: number }>('item.sold')

/** It is booked. */
export const Booked = defineEvent<{ item: number }>('item.booked')
