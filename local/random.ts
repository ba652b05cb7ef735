/** Identifiers as AWS makes them, but the same ones for the same seed. */
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const ALPHANUMERIC = BASE64.slice(0, 62);
const HEX = '0123456789abcdef';

export class RandomIds {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 16 characters after a prefix of four: AKIA for keys, ASIA for temporary ones, AIDA for users, AROA for roles. */
  id(prefix: 'AKIA' | 'ASIA' | 'AIDA' | 'AROA'): string {
    return prefix + this.#characters(16, BASE32);
  }

  secretKey(): string {
    return this.#characters(40, BASE64);
  }

  sessionToken(): string {
    return this.#characters(120, BASE64);
  }

  /** What ends a secret's ARN. */
  suffix(): string {
    return this.#characters(6, ALPHANUMERIC);
  }

  uuid(): string {
    const hex = this.#characters(32, HEX);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  #characters(length: number, alphabet: string): string {
    return Array.from({ length }, () => alphabet[Math.floor(this.#next() * alphabet.length)]).join('');
  }

  /** mulberry32: small, and evenly spread. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
}
