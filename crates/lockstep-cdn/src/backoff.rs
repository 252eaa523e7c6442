//! How long to wait before the next attempt, when the CDN gave no hint of its own.
//!
//! Not here: the random number. It is an argument, so that the policy stays a pure function.

use std::time::Duration;

/// The longest wait after the first failure.
const FIRST: Duration = Duration::from_millis(100);

/// The longest wait of all. Also the cap on what a CDN may ask for.
pub(crate) const LONGEST: Duration = Duration::from_mins(1);

/// The wait after `attempts` failures in a row: 0.1 s doubling up to 60 s, of which the upper
/// half is spread by `jitter` (0 to 1, from the caller's random source).
///
/// Jitter keeps several processes, or several keys that failed together, from coming back
/// together. Only the upper half is random, so that the wait still grows with every failure.
pub fn backoff(attempts: u32, jitter: f64) -> Duration {
    // 2^10 × 0.1 s is already past the cap; without this bound the power would overflow.
    let doublings = attempts.saturating_sub(1).min(10);
    let ceiling = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    let half = ceiling / 2;
    // A jitter outside of 0..1 (or NaN) is a caller's bug that must not become a panic.
    let jitter = if jitter > 0.0 { jitter.min(1.0) } else { 0.0 };
    half + half.mul_f64(jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JITTERS: [f64; 6] = [0.0, 0.1, 0.25, 0.5, 0.999, 1.0];

    #[test]
    fn every_wait_lies_in_the_upper_half_of_its_ceiling() {
        for attempts in (0..2_000).chain([u32::MAX]) {
            let ceiling = backoff(attempts, 1.0);
            assert!(ceiling >= FIRST && ceiling <= LONGEST, "{attempts}");
            for jitter in JITTERS {
                let wait = backoff(attempts, jitter);
                assert!(
                    wait >= ceiling / 2 && wait <= ceiling,
                    "{attempts} {jitter}"
                );
            }
        }
    }

    #[test]
    fn the_wait_doubles_until_the_cap_and_never_shrinks() {
        for jitter in JITTERS {
            for attempts in 1..100 {
                let (this, next) = (backoff(attempts, jitter), backoff(attempts + 1, jitter));
                assert!(next >= this, "{attempts} {jitter}");
                if backoff(attempts + 1, 1.0) < LONGEST {
                    assert_eq!(next, this * 2, "{attempts} {jitter}");
                }
            }
        }
        assert_eq!(backoff(1, 1.0), Duration::from_millis(100));
        assert_eq!(backoff(10, 1.0), Duration::from_millis(51_200));
        assert_eq!(backoff(11, 1.0), LONGEST);
    }

    #[test]
    fn more_jitter_is_never_a_shorter_wait() {
        for attempts in 0..20 {
            for pair in JITTERS.windows(2) {
                assert!(backoff(attempts, pair[0]) < backoff(attempts, pair[1]));
            }
        }
    }

    #[test]
    fn an_absurd_jitter_is_clamped() {
        assert_eq!(backoff(3, f64::NAN), backoff(3, 0.0));
        assert_eq!(backoff(3, -1.0), backoff(3, 0.0));
        assert_eq!(backoff(3, f64::INFINITY), backoff(3, 1.0));
    }
}
