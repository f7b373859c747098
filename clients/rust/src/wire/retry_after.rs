//! `Retry-After` (RFC 9110, section 10.2.3).

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// From seconds, or from a date, which is compared with the response's `Date` if there is one, because clocks differ. None if it is
/// invalid, or in the past.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = text(headers, RETRY_AFTER)?;
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Hundreds of digits are as good as the largest number: the wait is bounded anyway.
        return Some(value.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = text(headers, DATE).and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or_else(SystemTime::now);
    until.duration_since(now).ok().filter(|wait| !wait.is_zero())
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(value: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        retry_after(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds_and_dates_are_understood_and_the_rest_is_ignored() {
        let noon = Some("Sun, 06 Nov 1994 12:00:00 GMT");
        assert_eq!(seconds("12", None), Some(12));
        assert_eq!(seconds("0", None), Some(0));
        assert_eq!(seconds("Sun, 06 Nov 1994 12:00:07 GMT", noon), Some(7));
        assert_eq!(seconds("Sun, 06 Nov 1994 11:59:59 GMT", noon), None);
        assert_eq!(seconds("Fri, 31 Dec 1999 23:59:59 GMT", None), None);
        for odd in ["-5", "soon", "1.5", "", "0x10"] {
            assert_eq!(seconds(odd, noon), None, "{odd}");
        }
        assert_eq!(seconds(&"9".repeat(300), None), Some(Duration::MAX.as_secs()));
    }
}
