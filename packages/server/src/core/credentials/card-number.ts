/** Lengths and first digits of card numbers by brand (ISO/IEC 7812 issuer identification numbers). */
const BRANDS: readonly { prefix: RegExp; lengths: readonly number[] }[] = [
  { prefix: /^4/, lengths: [13, 16, 19] },
  { prefix: /^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16] },
  { prefix: /^3[47]/, lengths: [15] },
  { prefix: /^(?:6011|65|64[4-9])/, lengths: [16, 19] },
  { prefix: /^35(?:2[89]|[3-8])/, lengths: [16] },
  { prefix: /^(?:36|38|39|30[0-5])/, lengths: [14] },
  { prefix: /^62/, lengths: [16, 17, 18, 19] },
]

/** Whether digits are a card number: a known brand, its length, and the check digit (Luhn, ISO/IEC 7812-1 annex B). */
export function isCardNumber(digits: string): boolean {
  const known = BRANDS.some(({ prefix, lengths }) => lengths.includes(digits.length) && prefix.test(digits))
  return known && passesLuhn(digits) && new Set(digits).size > 1
}

function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let index = 0; index < digits.length; index++) {
    let digit = digits.charCodeAt(digits.length - 1 - index) - 48
    if (index % 2 === 1) digit = digit > 4 ? digit * 2 - 9 : digit * 2
    sum += digit
  }
  return sum % 10 === 0
}
