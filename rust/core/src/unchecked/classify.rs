//! Bytes to tokens, 64 at a time: the SIMD half of [`crate::json::index`].

use crate::json::block::{Masks, State};

/// Appends the position of each token of `bytes` to `tokens`, and the number of each block that is not all ASCII to
/// `wide`.
pub(crate) fn tokens(bytes: &[u8], tokens: &mut Vec<u32>, wide: &mut Vec<u32>) {
    #[cfg(target_arch = "x86_64")]
    {
        if x86::has_avx512() {
            // SAFETY: every feature that the function is compiled for was just detected.
            return unsafe { x86::tokens_avx512(bytes, tokens, wide) };
        }
        if x86::has_avx2() {
            // SAFETY: as above.
            return unsafe { x86::tokens_avx2(bytes, tokens, wide) };
        }
    }
    scalar(bytes, tokens, wide);
}

/// The safe twin: the same on any processor.
pub(crate) fn scalar(bytes: &[u8], tokens: &mut Vec<u32>, wide: &mut Vec<u32>) {
    walk(bytes, tokens, wide, Masks::scalar, crate::json::block::prefix_xor, |mut mask, base, tokens| {
        while mask != 0 {
            tokens.push(base + mask.trailing_zeros());
            mask &= mask - 1;
        }
    });
}

/// Any variant of [`tokens`].
#[cfg(any(test, feature = "fuzzing"))]
pub type Variant = fn(&[u8], &mut Vec<u32>, &mut Vec<u32>);

/// Every variant that this processor can run, by name; the scalar one is the first.
#[cfg(any(test, feature = "fuzzing"))]
#[must_use]
pub fn variants() -> Vec<(&'static str, Variant)> {
    let mut variants: Vec<(&'static str, Variant)> = vec![("scalar", scalar)];
    #[cfg(target_arch = "x86_64")]
    {
        if x86::has_avx2() {
            // SAFETY: every feature that the function is compiled for was just detected.
            variants.push(("avx2", |bytes, tokens, wide| unsafe { x86::tokens_avx2(bytes, tokens, wide) }));
        }
        if x86::has_avx512() {
            // SAFETY: as above.
            variants.push(("avx512", |bytes, tokens, wide| unsafe { x86::tokens_avx512(bytes, tokens, wide) }));
        }
    }
    variants
}

/// The loop that all variants share; always inlined, so that each is compiled whole for its own processor.
#[inline(always)]
fn walk(
    bytes: &[u8],
    tokens: &mut Vec<u32>,
    wide: &mut Vec<u32>,
    masks: impl Fn(&[u8; 64]) -> Masks,
    prefix_xor: impl Fn(u64) -> u64,
    flatten: impl Fn(u64, u32, &mut Vec<u32>),
) {
    let mut state = State::default();
    let mut base = 0;
    let (blocks, rest) = bytes.as_chunks::<64>();
    for block in blocks {
        let masks = masks(block);
        if masks.high != 0 {
            wide.push(base / 64);
        }
        flatten(state.tokens(&masks, &prefix_xor), base, tokens);
        base += 64;
    }
    if !rest.is_empty() {
        let mut block = [b' '; 64];
        block[..rest.len()].copy_from_slice(rest);
        let masks = masks(&block);
        if masks.high != 0 {
            wide.push(base / 64);
        }
        // The padding is not part of the text: an open string must not turn it into tokens.
        let inside = (1 << rest.len()) - 1;
        flatten(state.tokens(&masks, &prefix_xor) & inside, base, tokens);
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::is_x86_feature_detected as has;
    #[allow(clippy::wildcard_imports, reason = "intrinsics come by the dozen, and their names are their own")]
    use std::arch::x86_64::*;

    use super::{Masks, walk};

    /// Bytes by which text is fetched ahead, since processors stop at the end of a page. What is fetched may lie
    /// outside of the text: nothing is read there.
    const AHEAD: usize = 3072;

    pub(super) fn has_avx512() -> bool {
        has!("avx512f") && has!("avx512bw") && has!("avx512vbmi2") && has_avx2()
    }

    pub(super) fn has_avx2() -> bool {
        has!("avx2") && has!("pclmulqdq") && has!("bmi1") && has!("bmi2") && has!("popcnt")
    }

    #[target_feature(enable = "pclmulqdq")]
    fn prefix_xor(mask: u64) -> u64 {
        let product = _mm_clmulepi64_si128(_mm_set_epi64x(0, mask.cast_signed()), _mm_set1_epi8(-1), 0);
        _mm_cvtsi128_si64(product).cast_unsigned()
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,avx2,pclmulqdq,bmi1,bmi2,popcnt")]
    pub(super) fn tokens_avx512(bytes: &[u8], tokens: &mut Vec<u32>, wide: &mut Vec<u32>) {
        let masks = |block: &[u8; 64]| {
            _mm_prefetch::<_MM_HINT_T0>(block.as_ptr().wrapping_add(AHEAD).cast());
            // SAFETY: `block` has 64 readable bytes; the load asks for no alignment.
            let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
            let folded = _mm512_or_si512(bytes, _mm512_set1_epi8(0x20));
            Masks {
                quote: _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(b'"'.cast_signed())),
                backslash: _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(b'\\'.cast_signed())),
                bracket: _mm512_cmpeq_epi8_mask(folded, _mm512_set1_epi8(b'{'.cast_signed()))
                    | _mm512_cmpeq_epi8_mask(folded, _mm512_set1_epi8(b'}'.cast_signed())),
                control: _mm512_cmplt_epu8_mask(bytes, _mm512_set1_epi8(0x20)),
                high: _mm512_movepi8_mask(bytes),
            }
        };
        let mut ramp = [0u8; 64];
        for (position, byte) in ramp.iter_mut().enumerate() {
            *byte = position as u8;
        }
        // SAFETY: `ramp` has 64 readable bytes.
        let ramp = unsafe { _mm512_loadu_si512(ramp.as_ptr().cast()) };
        let flatten = |mask: u64, base: u32, tokens: &mut Vec<u32>| {
            let count = mask.count_ones() as usize;
            let places = _mm512_maskz_compress_epi8(mask, ramp);
            let base = _mm512_set1_epi32(base.cast_signed());
            tokens.reserve(64);
            // SAFETY: 64 places are reserved after the length, and the stores below reach no further (4 × 16 places);
            // the length grows only over places that were just written.
            unsafe {
                let end = tokens.as_mut_ptr().add(tokens.len());
                _mm512_storeu_si512(
                    end.cast(),
                    _mm512_add_epi32(base, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(places))),
                );
                if count > 16 {
                    let second = _mm512_extracti32x4_epi32(places, 1);
                    _mm512_storeu_si512(end.add(16).cast(), _mm512_add_epi32(base, _mm512_cvtepu8_epi32(second)));
                    if count > 32 {
                        let third = _mm512_extracti32x4_epi32(places, 2);
                        _mm512_storeu_si512(end.add(32).cast(), _mm512_add_epi32(base, _mm512_cvtepu8_epi32(third)));
                        let fourth = _mm512_extracti32x4_epi32(places, 3);
                        _mm512_storeu_si512(end.add(48).cast(), _mm512_add_epi32(base, _mm512_cvtepu8_epi32(fourth)));
                    }
                }
                tokens.set_len(tokens.len() + count);
            }
        };
        walk(bytes, tokens, wide, masks, |mask| prefix_xor(mask), flatten);
    }

    #[target_feature(enable = "avx2,pclmulqdq,bmi1,bmi2,popcnt")]
    pub(super) fn tokens_avx2(bytes: &[u8], tokens: &mut Vec<u32>, wide: &mut Vec<u32>) {
        let masks = |block: &[u8; 64]| {
            _mm_prefetch::<_MM_HINT_T0>(block.as_ptr().wrapping_add(AHEAD).cast());
            // SAFETY: both loads lie inside the 64 bytes of `block` and ask for no alignment.
            let halves = unsafe {
                let start = block.as_ptr();
                [_mm256_loadu_si256(start.cast()), _mm256_loadu_si256(start.add(32).cast())]
            };
            let mask = |find: &dyn Fn(__m256i) -> __m256i| {
                let [low, high] = halves.map(|half| u64::from(_mm256_movemask_epi8(find(half)).cast_unsigned()));
                low | high << 32
            };
            let equal = |byte: u8| mask(&|half| _mm256_cmpeq_epi8(half, _mm256_set1_epi8(byte.cast_signed())));
            let folded = |byte: u8| {
                mask(&|half| {
                    let folded = _mm256_or_si256(half, _mm256_set1_epi8(0x20));
                    _mm256_cmpeq_epi8(folded, _mm256_set1_epi8(byte.cast_signed()))
                })
            };
            let limit = _mm256_set1_epi8(0x1f);
            Masks {
                quote: equal(b'"'),
                backslash: equal(b'\\'),
                bracket: folded(b'{') | folded(b'}'),
                control: mask(&|half| _mm256_cmpeq_epi8(_mm256_max_epu8(half, limit), limit)),
                high: mask(&|half| half),
            }
        };
        let flatten = |mut mask: u64, base: u32, tokens: &mut Vec<u32>| {
            let count = mask.count_ones() as usize;
            tokens.reserve(64);
            // SAFETY: 64 places are reserved after the length and a mask has 64 bits, so that no write passes them; the
            // length grows only over places that were just written. (`trailing_zeros` of an empty mask is 64: a
            // harmless value after the length.)
            unsafe {
                let end = tokens.as_mut_ptr().add(tokens.len());
                let mut written = 0;
                while written < count {
                    for place in written..written + 8 {
                        end.add(place).write(base + mask.trailing_zeros());
                        mask &= mask.wrapping_sub(1);
                    }
                    written += 8;
                }
                tokens.set_len(tokens.len() + count);
            }
        };
        walk(bytes, tokens, wide, masks, |mask| prefix_xor(mask), flatten);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_variant_equals_the_scalar_twin(text in r#"[\x00-\x20"\\{}\[\]:,a-cé]{0,400}"#) {
            let mut results = variants().into_iter().map(|(name, variant)| {
                let (mut tokens, mut wide) = (Vec::new(), Vec::new());
                variant(text.as_bytes(), &mut tokens, &mut wide);
                (name, tokens, wide)
            });
            let (_, tokens, wide) = results.next().expect("the scalar one");
            for (name, found_tokens, found_wide) in results {
                prop_assert_eq!((&found_tokens, &found_wide), (&tokens, &wide), "{}", name);
            }
        }
    }
}
