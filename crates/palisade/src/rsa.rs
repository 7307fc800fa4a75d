//! RSA signatures over SHA-256, PKCS #1 v1.5 (RFC 8017, section 8.2.2): only the check, with a public key.
//!
//! Absent on purpose: secret keys. Everything here is public, so that nothing has to be constant in time.

use sha2::{Digest, Sha256};

/// The largest modulus, in bits; CloudTrail's keys have 2048.
const MODULUS_BITS_MAX: usize = 8192;

/// What stands before a SHA-256 hash in a signature: its algorithm in DER (RFC 8017, section 9.2, note 1).
const SHA256_PREFIX: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

/// A number, most significant byte first, without leading zeros.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// One DER element with `tag`: its content and what follows.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = bytes.split_first_chunk::<2>()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 | 0x82 => {
            let (size, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            (size.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// Whether `signature` over `text` holds for the public key `key` (DER of RSAPublicKey, as ListPublicKeys gives it).
pub(crate) fn holds(key: &[u8], text: &[u8], signature: &[u8]) -> bool {
    check(key, text, signature).unwrap_or(false)
}

fn check(key: &[u8], text: &[u8], signature: &[u8]) -> Option<bool> {
    let (numbers, _) = element(key, 0x30)?;
    let (modulus, rest) = element(numbers, 0x02)?;
    let (exponent, _) = element(rest, 0x02)?;
    let modulus = trimmed(modulus);
    let exponent =
        trimmed(exponent).iter().try_fold(0u64, |number, byte| number.checked_mul(256)?.checked_add(u64::from(*byte)))?;
    if modulus.len() * 8 > MODULUS_BITS_MAX || modulus.len() < 64 || signature.len() != modulus.len() {
        return None;
    }
    let modulus_limbs = limbs(modulus);
    let base = limbs(signature);
    if !less(&base, &modulus_limbs) {
        return Some(false);
    }
    let opened = power(&base, exponent, &modulus_limbs);
    Some(bytes(&opened, modulus.len()) == expected(text, modulus.len())?)
}

/// The block that a right signature opens to.
fn expected(text: &[u8], size: usize) -> Option<Vec<u8>> {
    let hash = Sha256::digest(text);
    let padding = size.checked_sub(3 + SHA256_PREFIX.len() + hash.len())?;
    let mut block = vec![0x00, 0x01];
    block.extend(std::iter::repeat_n(0xff, padding));
    block.push(0x00);
    block.extend(SHA256_PREFIX);
    block.extend(hash);
    Some(block)
}

/// Limbs of 32 bits, least significant first.
fn limbs(bytes: &[u8]) -> Vec<u32> {
    bytes.rchunks(4).map(|chunk| chunk.iter().fold(0, |limb, byte| limb << 8 | u32::from(*byte))).collect()
}

fn bytes(limbs: &[u32], size: usize) -> Vec<u8> {
    let mut every: Vec<u8> = limbs.iter().flat_map(|limb| limb.to_le_bytes()).collect();
    every.resize(size, 0);
    every.reverse();
    every
}

fn less(a: &[u32], b: &[u32]) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

/// Takes `modulus` away once if `carry` or the size ask for it.
fn reduce(number: &mut [u32], carry: bool, modulus: &[u32]) {
    if !carry && less(number, modulus) {
        return;
    }
    let mut borrow = false;
    for (limb, part) in number.iter_mut().zip(modulus) {
        let (low, first) = limb.overflowing_sub(*part);
        let (low, second) = low.overflowing_sub(u32::from(borrow));
        *limb = low;
        borrow = first || second;
    }
}

fn add(number: &mut [u32], other: &[u32], modulus: &[u32]) {
    let mut carry = 0u64;
    for (limb, part) in number.iter_mut().zip(other) {
        let sum = u64::from(*limb) + u64::from(*part) + carry;
        *limb = sum as u32;
        carry = sum >> 32;
    }
    reduce(number, carry > 0, modulus);
}

/// Double and add: slow, plain, and quick enough for one signature an hour.
fn multiply(a: &[u32], b: &[u32], modulus: &[u32]) -> Vec<u32> {
    let mut product = vec![0; modulus.len()];
    for limb in a.iter().rev() {
        for bit in (0..32).rev() {
            let doubled = product.clone();
            add(&mut product, &doubled, modulus);
            if limb >> bit & 1 == 1 {
                add(&mut product, b, modulus);
            }
        }
    }
    product
}

fn power(base: &[u32], exponent: u64, modulus: &[u32]) -> Vec<u32> {
    let mut result = vec![0; modulus.len()];
    if let Some(one) = result.first_mut() {
        *one = 1;
    }
    for bit in (0..64 - exponent.leading_zeros()).rev() {
        result = multiply(&result, &result, modulus);
        if exponent >> bit & 1 == 1 {
            result = multiply(&result, base, modulus);
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    // Made with `openssl genrsa`, `openssl rsa -RSAPublicKey_out -outform DER` and `openssl dgst -sha256 -sign`.
    const KEY: &str = "3082010a0282010100b517335c9d4579c0b1001c5050aa9fc1b9082aa1801d1995e3ec0bd71b52a7ad07b73254df400e7f5af0ece33860f2bab534faf2e77c519d07fa966016dce88b5470397846ccb34aa1f592ffe1456d529336a4207d986c4cfcc21251e52e815914e143dd29b43e0b1c8f9b50ae90ac7a8cf6893622ae35a91cf97b2b4ceac39445855c73271d88130fc9f40c9ba73cf0d60aaafcae2b9301fc6bd5bd430412aceac3e54bcb3fb6dec084363623c1616a9d493e0394147efc18492961b5a75d07b7978530bdf55fd389d3e5d40897bf9c7188691b2deda9c28f96393b4e3ab4e0cb8e3f858d0a195e580be3f7ea0c660f974b0e66a2eafa8ab74bd43582bdd8910203010001";
    const SIGNATURE: &str = "a2f56d16c879a30646e3362e1f5754fcaa757b05b976739e15b22605f407043b0a525fd94a9f27a31d5a4c2aa264c00a61ef2d5e1401b031b242ced510386fbf9e590dbda23536040ac2eb9c4540d9e8d8da0da78be807b1b2b773fc3bd11d2f00207d66a84222879e58c8e9434026473828d05305f9f42b832afaff027495b4ef5a393dce58bac7dc2a93dd4a0574bffb250054189125740a54125175622627cffd56063b587487385f09478969a0e6155f711e5f8639149c077f0fa04b1266864ae868dcfa4fe606db4f5ba94a05223ba64c7f43ea6eabdd4c92e45ee76eee0ca6d14cd7ce1d864aff784a389e734e20d1621f4eaa3cde65cb3460cafb57fe";

    #[test]
    fn openssl_and_we_agree() {
        let (key, signature) = (hex::read(KEY).unwrap(), hex::read(SIGNATURE).unwrap());
        assert!(holds(&key, b"signed text", &signature));
        assert!(!holds(&key, b"signed texT", &signature));
        for at in [0, 100, 255] {
            let mut changed = signature.clone();
            changed[at] ^= 1;
            assert!(!holds(&key, b"signed text", &changed));
        }
        assert!(!holds(&key, b"signed text", &signature[1..]));
        assert!(!holds(&key[..100], b"signed text", &signature));
        assert!(!holds(b"", b"", b""));
    }
}
