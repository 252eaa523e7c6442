//! The platforms that a wheel may be for: the third of its tags (PEP 425).
//!
//! Not here: the other two tags, of which installers know more than an index.
//!
//! Invariant: a known tag promises that the wheel runs on any machine of the kind, not only on one
//! like that which built it. That is why `linux_x86_64` is not among them.

/// The Windows tags, and the Linux tags of machines that no `manylinux` was made for.
const PLAIN: [&str; 7] = [
    "any",
    "linux_armv6l",
    "linux_armv7l",
    "win32",
    "win_amd64",
    "win_arm64",
    "win_ia64",
];
const LINUX: [&str; 7] = [
    "aarch64", "armv7l", "i686", "ppc64le", "riscv64", "s390x", "x86_64",
];
const MACOS: [&str; 12] = [
    "arm64",
    "fat",
    "fat3",
    "fat32",
    "fat64",
    "i386",
    "intel",
    "ppc",
    "ppc64",
    "universal",
    "universal2",
    "x86_64",
];
const ANDROID: [&str; 4] = ["arm64_v8a", "armeabi_v7a", "x86", "x86_64"];

/// Whether `tag` is a known platform: PEP 513, 571, 599, 600 (`manylinux`), PEP 656 (`musllinux`),
/// PEP 730 (iOS), PEP 738 (Android), PEP 783 (Emscripten), macOS and Windows.
pub(super) fn is_known(tag: &str) -> bool {
    if PLAIN.contains(&tag) {
        return true;
    }
    let Some((system, rest)) = tag.split_once('_') else {
        return false;
    };
    match system {
        "manylinux1" | "manylinux2010" => ["i686", "x86_64"].contains(&rest),
        "manylinux2014" => rest != "riscv64" && is_manylinux(rest),
        "manylinux" => two_numbers(rest).is_some_and(|(_, _, machine)| is_manylinux(machine)),
        "musllinux" => two_numbers(rest).is_some_and(|(_, _, machine)| LINUX.contains(&machine)),
        // Before 11 the second number counted the releases, since then the first one does.
        "macosx" => two_numbers(rest).is_some_and(|(major, minor, machine)| {
            MACOS.contains(&machine) && (major == 10 || (major > 10 && minor == 0))
        }),
        "ios" => two_numbers(rest).is_some_and(|(_, _, machine)| {
            let (machine, kind) = machine.rsplit_once('_').unwrap_or_default();
            ["arm64", "x86_64"].contains(&machine)
                && ["iphoneos", "iphonesimulator"].contains(&kind)
        }),
        "pyemscripten" => two_numbers(rest).is_some_and(|(_, _, machine)| machine == "wasm32"),
        "android" => number(rest).is_some_and(|(_, machine)| ANDROID.contains(&machine)),
        _ => false,
    }
}

fn is_manylinux(machine: &str) -> bool {
    machine == "ppc64" || LINUX.contains(&machine)
}

/// `major_minor_rest`.
fn two_numbers(text: &str) -> Option<(u32, u32, &str)> {
    let (major, rest) = number(text)?;
    let (minor, rest) = number(rest)?;
    Some((major, minor, rest))
}

/// `number_rest`.
fn number(text: &str) -> Option<(u32, &str)> {
    let (number, rest) = text.split_once('_')?;
    let digits = number.bytes().all(|b| b.is_ascii_digit());
    digits.then_some((number.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::is_known;

    #[test]
    fn tags_of_platforms_are_known_and_of_single_machines_are_not() {
        for known in [
            "any",
            "win32",
            "win_arm64",
            "linux_armv6l",
            "manylinux1_i686",
            "manylinux2010_x86_64",
            "manylinux2014_aarch64",
            "manylinux_2_17_x86_64",
            "manylinux_2_28_ppc64",
            "musllinux_1_2_riscv64",
            "macosx_10_9_universal2",
            "macosx_11_0_arm64",
            "macosx_26_0_arm64",
            "ios_13_0_arm64_iphoneos",
            "ios_13_0_x86_64_iphonesimulator",
            "android_21_arm64_v8a",
        ] {
            assert!(is_known(known), "{known}");
        }
        for unknown in [
            "",
            "linux_x86_64",
            "linux_aarch64",
            "manylinux1_aarch64",
            "manylinux2014_riscv64",
            "manylinux_2_x86_64",
            "manylinux_+2_17_x86_64",
            "musllinux_1_1_ppc64",
            "macosx_9_0_ppc",
            "macosx_11_3_arm64",
            "macosx_11_0_sparc",
            "ios_13_0_arm64",
            "android_21_mips",
            "win16",
            "freebsd_14_0_release_amd64",
        ] {
            assert!(!is_known(unknown), "{unknown}");
        }
    }
}
