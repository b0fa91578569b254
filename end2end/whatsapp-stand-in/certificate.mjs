// The chain by which WhatsApp's server shows its key: leaf by intermediate by root.
import { Curve, encode, proto, seconds, sign } from "./parts.mjs";

const DAY = 86_400;

export function certificate(leafPublic) {
  const root = Curve.generateKeyPair();
  const intermediate = Curve.generateKeyPair();
  const { Details } = proto.CertChain.NoiseCertificate;
  const details = (fields) => {
    const life = { notBefore: Number(seconds()) - DAY, notAfter: Number(seconds()) + 365 * DAY };
    return Buffer.from(Details.encode(Details.fromObject({ ...life, ...fields })).finish());
  };
  const middle = details({ serial: 1, issuerSerial: 0, key: intermediate.public });
  const leaf = details({ serial: 2, issuerSerial: 1, key: leafPublic });
  return encode("CertChain", {
    intermediate: { details: middle, signature: sign(root, middle) },
    leaf: { details: leaf, signature: sign(intermediate, leaf) },
  });
}
