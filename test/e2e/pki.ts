import { execFileSync } from "node:child_process";
import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The files of one authority, the certificate of the API server and the key of its service accounts. */
export interface Keys {
  readonly caPath: string;
  readonly servingCert: string;
  readonly servingKey: string;
  readonly accountPublicKey: string;
  readonly accountPrivateKey: string;
}

export function makeKeys(directory: string): Keys {
  const path = (name: string) => join(directory, name);
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  openssl(["req", "-x509", ...curve, "-subj", "/CN=rectify-e2e", "-keyout", path("ca.key"), "-out", path("ca.crt")]);
  openssl([
    ...["req", "-x509", ...curve, "-subj", "/CN=kube-apiserver"],
    ...["-CA", path("ca.crt"), "-CAkey", path("ca.key")],
    ...["-addext", "subjectAltName=IP:127.0.0.1,IP:10.0.0.1,DNS:localhost,DNS:kubernetes.default.svc"],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
    ...["-keyout", path("apiserver.key"), "-out", path("apiserver.crt")],
  ]);
  const account = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  writeFileSync(path("sa.pub"), account.publicKey);
  writeFileSync(path("sa.key"), account.privateKey, { mode: 0o600 });
  return {
    caPath: path("ca.crt"),
    servingCert: path("apiserver.crt"),
    servingKey: path("apiserver.key"),
    accountPublicKey: path("sa.pub"),
    accountPrivateKey: path("sa.key"),
  };
}

function openssl(args: readonly string[]): void {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}

interface Claims {
  readonly issuer: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Negative = it ended that long ago. */
  readonly lifeSeconds: number;
}

/** A service account token as the API server signs it, but with any lifetime: TokenRequest gives no less than ten minutes. */
export function signToken(keyPath: string, { issuer, namespace, name, uid, lifeSeconds }: Claims): string {
  const end = Math.floor(Date.now() / 1000) + lifeSeconds;
  const begin = end - 3600;
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const body = `${part({ alg: "RS256", typ: "JWT" })}.${part({
    ...{ iss: issuer, aud: [issuer], sub: `system:serviceaccount:${namespace}:${name}` },
    ...{ iat: begin, nbf: begin, exp: end },
    "kubernetes.io": { namespace, serviceaccount: { name, uid } },
  })}`;
  const key = createPrivateKey(readFileSync(keyPath));
  return `${body}.${sign("RSA-SHA256", Buffer.from(body), key).toString("base64url")}`;
}
