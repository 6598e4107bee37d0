//! The public keys of a provider (RFC 7517), and what they have signed (RFC 7518).

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::signature::{
    self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;

/// A way of signing. What is not here is not believed, above all nothing that is signed by nobody, or with a secret that
/// both sides know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

/// How a kind of keys signs.
enum Scheme {
    Rsa(&'static RsaParameters),
    /// The name of the curve, and the bytes of each coordinate.
    Curve(&'static dyn VerificationAlgorithm, &'static str, usize),
    Edwards,
}

impl Algorithm {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "EdDSA" => Self::EdDsa,
            _ => return None,
        })
    }

    fn scheme(self) -> Scheme {
        match self {
            Self::Rs256 => Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
            Self::Ps256 => Scheme::Rsa(&signature::RSA_PSS_2048_8192_SHA256),
            Self::Ps384 => Scheme::Rsa(&signature::RSA_PSS_2048_8192_SHA384),
            Self::Ps512 => Scheme::Rsa(&signature::RSA_PSS_2048_8192_SHA512),
            Self::Es256 => Scheme::Curve(&signature::ECDSA_P256_SHA256_FIXED, "P-256", 32),
            Self::Es384 => Scheme::Curve(&signature::ECDSA_P384_SHA384_FIXED, "P-384", 48),
            Self::EdDsa => Scheme::Edwards,
        }
    }
}

/// A key as it is published; fields of other kinds of keys are absent.
#[derive(Debug, Clone, Deserialize)]
struct Key {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// All keys of a provider.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Keys {
    keys: Vec<serde_json::Value>,
}

impl Keys {
    /// Whether one of them may have signed what names this key. Who names none may have used any.
    pub(super) fn know(&self, id: Option<&str>) -> bool {
        self.named(id).next().is_some()
    }

    /// Whether one of the keys of this name has signed `message` so.
    pub(super) fn have_signed(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        self.named(id).any(|key| key.has_signed(algorithm, message, signature).unwrap_or(false))
    }

    /// Keys of kinds that this program does not know are no fault of the others.
    fn named(&self, id: Option<&str>) -> impl Iterator<Item = Key> {
        let keys = self.keys.iter().filter_map(|key| Key::deserialize(key).ok());
        keys.filter(move |key| id.is_none() || key.kid.as_deref() == id)
    }
}

impl Key {
    /// `None` where the key is of another kind, for something else, or damaged.
    fn has_signed(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Option<bool> {
        let is_for_this = self.usage.as_deref().is_none_or(|usage| usage == "sig")
            && self.alg.as_deref().is_none_or(|name| Algorithm::named(name) == Some(algorithm));
        if !is_for_this {
            return None;
        }
        let verified = match (algorithm.scheme(), self.kty.as_str()) {
            (Scheme::Rsa(parameters), "RSA") => {
                let (n, e) = (number(self.n.as_deref())?, number(self.e.as_deref())?);
                RsaPublicKeyComponents { n: &n, e: &e }.verify(parameters, message, signature)
            }
            (Scheme::Curve(scheme, curve, bytes), "EC") if self.crv.as_deref() == Some(curve) => {
                let (x, y) = (decoded(self.x.as_deref())?, decoded(self.y.as_deref())?);
                if x.len() != bytes || y.len() != bytes {
                    return None;
                }
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                UnparsedPublicKey::new(scheme, point).verify(message, signature)
            }
            (Scheme::Edwards, "OKP") if self.crv.as_deref() == Some("Ed25519") => {
                UnparsedPublicKey::new(&signature::ED25519, decoded(self.x.as_deref())?)
                    .verify(message, signature)
            }
            _ => return None,
        };
        Some(verified.is_ok())
    }
}

fn decoded(text: Option<&str>) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text?).ok()
}

/// The same without zeros in front.
fn number(text: Option<&str>) -> Option<Vec<u8>> {
    let bytes = decoded(text)?;
    let start = bytes.iter().position(|byte| *byte != 0)?;
    Some(bytes[start..].to_vec())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 7515, appendix A.2.
    const RSA_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    const RSA_MESSAGE: &[u8] = b"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const RSA_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

    fn keys(key: serde_json::Value) -> Keys {
        serde_json::from_value(json!({"keys": [{"kty": "from the future"}, key]})).unwrap()
    }

    fn rsa() -> serde_json::Value {
        json!({"kty": "RSA", "kid": "a", "n": RSA_N, "e": "AQAB"})
    }

    #[test]
    fn the_example_of_the_standard_is_believed_and_nothing_near_it() {
        let signature = decoded(Some(RSA_SIGNATURE)).unwrap();
        let keys = keys(rsa());
        assert!(keys.have_signed(Some("a"), Algorithm::Rs256, RSA_MESSAGE, &signature));
        assert!(keys.have_signed(None, Algorithm::Rs256, RSA_MESSAGE, &signature));
        assert!(!keys.have_signed(Some("b"), Algorithm::Rs256, RSA_MESSAGE, &signature));
        assert!(!keys.have_signed(Some("a"), Algorithm::Ps256, RSA_MESSAGE, &signature));
        assert!(!keys.have_signed(Some("a"), Algorithm::Es256, RSA_MESSAGE, &signature));
        assert!(!keys.have_signed(Some("a"), Algorithm::Rs256, &RSA_MESSAGE[1..], &signature));
        assert!(!keys.have_signed(Some("a"), Algorithm::Rs256, RSA_MESSAGE, &signature[1..]));
    }

    #[test]
    fn a_key_signs_what_it_is_for() {
        let signature = decoded(Some(RSA_SIGNATURE)).unwrap();
        for (name, value) in
            [("use", "enc"), ("alg", "RS512"), ("alg", "HS256"), ("kty", "oct"), ("n", "?"), ("e", "")]
        {
            let mut key = rsa();
            key[name] = json!(value);
            assert!(
                !keys(key).have_signed(None, Algorithm::Rs256, RSA_MESSAGE, &signature),
                "{name} {value}"
            );
        }
    }

    #[test]
    fn keys_of_curves_are_believed() {
        // RFC 7515, appendix A.3, and RFC 8037, appendix A.4.
        let curve = json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
        let message = b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = decoded(Some(
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        ));
        let signature = signature.unwrap();
        assert!(keys(curve.clone()).have_signed(None, Algorithm::Es256, message, &signature));
        assert!(!keys(curve).have_signed(None, Algorithm::Es384, message, &signature));
        let edwards =
            json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature = decoded(Some(
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        ));
        assert!(keys(edwards).have_signed(None, Algorithm::EdDsa, message, &signature.unwrap()));
    }

    #[test]
    fn what_nobody_signs_has_no_name() {
        for name in ["none", "None", "nOnE", "", "HS256", "HS384", "HS512", "RS1", "rs256"] {
            assert!(Algorithm::named(name).is_none(), "{name}");
        }
    }
}
