//! What is too large to lie in a corpus: found while fuzzing, by what it took.

const PART: &str = "--lockstep-test-boundary\r\nContent-Disposition: form-data; name=\"";

/// The status and the code of the answer to a body that comes in pieces of 16 KiB.
fn refusal(body: &str) -> (u16, &'static str) {
    let error = lockstep_fuzz::answer(body.as_bytes(), 16 << 10).expect("refused");
    (error.status.as_u16(), error.code)
}

#[test]
fn a_head_that_does_not_end_is_refused() {
    let too_large = (413, "form-too-large");
    // Neither before the first part, nor in one, nor between two.
    assert_eq!(refusal(&"x".repeat(100 << 10)), too_large);
    assert_eq!(
        refusal(&format!("{PART}{}", "x".repeat(100 << 10))),
        too_large
    );
    let first = format!("{PART}a\"\r\n\r\n1\r\n--lockstep-test-boundary");
    assert_eq!(
        refusal(&format!("{first}{}", " ".repeat(100 << 10))),
        too_large
    );
    // This is small enough to be looked at.
    assert_eq!(refusal(&"x".repeat(10 << 10)), (400, "broken-multipart"));
}

#[test]
fn a_long_value_is_no_long_head() {
    let value = "x".repeat(1 << 20);
    let body = format!("{PART}description\"\r\n\r\n{value}\r\n--lockstep-test-boundary--\r\n");
    assert_eq!(refusal(&body), (400, "action"));
}

#[test]
fn fields_without_a_value_count() {
    let fields =
        |count| format!("{PART}a\"\r\n\r\n\r\n").repeat(count) + "--lockstep-test-boundary--\r\n";
    assert_eq!(refusal(&fields(4096)), (400, "action"));
    assert_eq!(refusal(&fields(4097)), (413, "form-too-large"));
}
