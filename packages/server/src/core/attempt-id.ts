/** An attempt has no row id of its own: it is the delivery's with another prefix, and its number. */
export function attemptId(deliveryId: string, number: number): string {
  return `${deliveryId.replace(/^dlv_/, 'att_')}_${number}`
}
