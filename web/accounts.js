// @ts-check
// What an administrator asks of the server: users, tokens, the audit; docs/api.md. No DOM. All throw Refusal.

import { request } from "./request.js";

/** @typedef {"viewer" | "operator" | "admin"} Role */
/** @typedef {import("./visitor.js").Action} Action */
/**
 * @typedef {object} User
 * @property {string} name
 * @property {Role} role
 * @property {string[]} streams names and patterns
 * @property {boolean} password whether there is one
 * @property {number} created_at seconds since 1970
 * @property {number} sessions browsers at which he is signed in
 */
/**
 * @typedef {object} Token
 * @property {string} id
 * @property {string} name
 * @property {Action[]} actions
 * @property {string[]} streams names and patterns
 * @property {number | null} expires_at seconds since 1970; null: never
 * @property {string} created_by
 * @property {number | null} used_at null: never
 */
/**
 * @typedef {object} Deed one line of the audit
 * @property {number} at seconds since 1970
 * @property {string} who
 * @property {string} what
 * @property {string} target
 * @property {string} address
 * @property {boolean} ok whether it was done; else it was refused
 * @property {string} detail
 */
/** @typedef {{ who: string, what: string, from: number | null, to: number | null }} Wanted of the audit; "" and null: any */

/** @returns {Promise<User[]>} */
export async function users() {
  return (await request("GET", "api/users")).json();
}

/** @param {{ name: string, role: Role, streams: string[], password: string }} user */
export async function addUser(user) {
  await request("POST", "api/users", { body: user });
}

/**
 * @param {string} name
 * @param {{ role?: Role, streams?: string[], password?: string }} change
 */
export async function changeUser(name, change) {
  await request("PATCH", `api/users/${encodeURIComponent(name)}`, { body: change });
}

/** @param {string} name */
export async function removeUser(name) {
  await request("DELETE", `api/users/${encodeURIComponent(name)}`);
}

/** @param {string} name of a user */
export async function signOutUser(name) {
  await request("DELETE", `api/sessions?${new URLSearchParams({ user: name })}`);
}

/** @returns {Promise<Token[]>} */
export async function tokens() {
  return (await request("GET", "api/tokens")).json();
}

/**
 * @param {{ name: string, actions: string[], streams: string[], expires_at: number | null }} token
 * @returns {Promise<string>} its secret, which nobody can ask for again
 */
export async function addToken(token) {
  const { secret } = await (await request("POST", "api/tokens", { body: token })).json();
  return secret;
}

/** @param {string} id */
export async function removeToken(id) {
  await request("DELETE", `api/tokens/${encodeURIComponent(id)}`);
}

/**
 * @param {Wanted} wanted
 * @param {string | null} cursor where the page before ended
 * @returns {Promise<{ deeds: Deed[], cursor: string | null }>} newest first
 */
export async function audit({ who, what, from, to }, cursor) {
  const query = Object.entries({ who, what, from, to, cursor }).filter(([, value]) => value !== null && value !== "");
  return (
    await request("GET", `api/audit?${new URLSearchParams(query.map(([key, value]) => [key, String(value)]))}`)
  ).json();
}
