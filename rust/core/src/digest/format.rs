//! Digest files: their content, and the string that their signature covers.

use crate::arena::Arena;
use crate::error::{Error, ErrorKind};
use crate::hash::{Sha256, hex};
use crate::json::{Cursor, Index, decoded};
use crate::scalar::timestamp;

/// The content of a digest file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Digest {
    /// In microseconds since 1970; so is `end`.
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// The end as text: this is what is signed.
    end_text: String,
    /// The account that it names as its own.
    pub(crate) account: String,
    /// Where it was written to.
    pub(crate) at: Name,
    pub(crate) fingerprint: String,
    pub(crate) algorithm: String,
    /// The digest before it; `None` in a starting digest.
    pub(crate) previous: Option<Previous>,
    pub(crate) logs: Vec<Listed>,
}

/// Bucket and key of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) bucket: String,
    pub(crate) key: String,
}

/// What a digest says about the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Previous {
    pub(crate) at: Name,
    pub(crate) hash: String,
    pub(crate) algorithm: String,
    pub(crate) signature: String,
}

/// What a digest says about a log file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) at: Name,
    pub(crate) hash: String,
    pub(crate) algorithm: String,
}

impl Digest {
    /// The string that the signature of this digest covers, given the hash of its content.
    pub(crate) fn string_to_sign(&self, content: &Sha256) -> String {
        let previous = self.previous.as_ref().map_or("null", |previous| &previous.signature);
        format!("{}\n{}/{}\n{}\n{previous}", self.end_text, self.at.bucket, self.at.key, hex(content))
    }

    /// Parses the text of a digest file; on failure, says what is wrong with it.
    pub(crate) fn parse(text: &Arena, index: &mut Index) -> Result<Self, String> {
        Self::parse_object(text, index).map_err(|wrong| match wrong {
            Wrong::Json(error) => error.to_string(),
            Wrong::Content(words) => words,
        })
    }

    fn parse_object(text: &Arena, index: &mut Index) -> Result<Self, Wrong> {
        index.build(text.text(0));
        let (valid, _) = index.valid_up_to(text.text(0));
        if valid < text.len() {
            return Err(Error::at(valid, ErrorKind::InvalidUtf8).into());
        }
        let mut reader = Reader { cursor: Cursor::new(text.padded(0), text.len(), index.tokens()) };
        reader.cursor.skip_space();
        let mut fields = Fields::default();
        let mut logs = None;
        reader.object(|reader, key| match key {
            "logFiles" => fill(&mut logs, key, reader.logs()?),
            _ => fields.read(key, reader),
        })?;
        reader.cursor.skip_space();
        if reader.cursor.at != reader.cursor.end() {
            return Err(reader.cursor.unexpected("the end").into());
        }
        let previous = [PREVIOUS_BUCKET, PREVIOUS_OBJECT, PREVIOUS_HASH, PREVIOUS_ALGORITHM, PREVIOUS_SIGNATURE];
        let previous = previous.map(|name| fields.optional(name));
        let previous = match previous {
            [Ok(Some(bucket)), Ok(Some(key)), Ok(Some(hash)), Ok(Some(algorithm)), Ok(Some(signature))] => {
                Some(Previous { at: Name { bucket, key }, hash, algorithm, signature })
            }
            [Ok(None), Ok(None), Ok(None), Ok(None), Ok(None)] => None,
            mut fields => {
                let wrong = fields.iter_mut().find_map(|field| field.as_mut().err());
                return Err(wrong.map_or_else(
                    || Wrong::Content("some of the previousDigest fields are null, but not all".to_owned()),
                    std::mem::take,
                ));
            }
        };
        let end_text = fields.required(END)?;
        let digest = Self {
            start: instant(START, &fields.required(START)?)?,
            end: instant(END, &end_text)?,
            end_text,
            account: fields.required("awsAccountId")?,
            at: Name { bucket: fields.required("digestS3Bucket")?, key: fields.required("digestS3Object")? },
            fingerprint: fields.required("digestPublicKeyFingerprint")?,
            algorithm: fields.required("digestSignatureAlgorithm")?,
            previous,
            logs: logs.ok_or_else(|| Wrong::Content("logFiles is missing".to_owned()))?,
        };
        if digest.start >= digest.end {
            return Err(Wrong::Content("digestEndTime is not after digestStartTime".to_owned()));
        }
        Ok(digest)
    }
}

const START: &str = "digestStartTime";
const END: &str = "digestEndTime";
const PREVIOUS_BUCKET: &str = "previousDigestS3Bucket";
const PREVIOUS_OBJECT: &str = "previousDigestS3Object";
const PREVIOUS_HASH: &str = "previousDigestHashValue";
const PREVIOUS_ALGORITHM: &str = "previousDigestHashAlgorithm";
const PREVIOUS_SIGNATURE: &str = "previousDigestSignature";

/// Why a text is not a digest.
#[derive(Debug)]
enum Wrong {
    Json(Error),
    Content(String),
}

impl Default for Wrong {
    fn default() -> Self {
        Self::Content(String::new())
    }
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Self::Json(error)
    }
}

fn instant(name: &str, text: &str) -> Result<i64, Wrong> {
    let whole_seconds = text.len() == "YYYY-MM-DDTHH:MM:SSZ".len() && text.ends_with('Z');
    timestamp(text.as_bytes())
        .filter(|_| whole_seconds)
        .ok_or_else(|| Wrong::Content(format!("{name} is not a time: {text:?}")))
}

/// Duplicate keys are refused: it would be unclear which value counts.
fn fill<T>(field: &mut Option<T>, name: &str, value: T) -> Result<(), Wrong> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(Wrong::Content(format!("{name} appears twice"))),
    }
}

/// The string members of an object that are needed.
#[derive(Default)]
struct Fields(Vec<(String, Option<String>)>);

impl Fields {
    fn read(&mut self, key: &str, reader: &mut Reader<'_>) -> Result<(), Wrong> {
        if self.0.iter().any(|(name, _)| name == key) {
            return Err(Wrong::Content(format!("{key} appears twice")));
        }
        if let Some(value) = reader.string_or_null(key)? {
            self.0.push((key.to_owned(), value));
        }
        Ok(())
    }

    fn optional(&mut self, name: &str) -> Result<Option<String>, Wrong> {
        let found = self.0.iter_mut().find(|(found, _)| found == name);
        found.map(|(_, value)| value.take()).ok_or_else(|| Wrong::Content(format!("{name} is missing, or no string")))
    }

    fn required(&mut self, name: &str) -> Result<String, Wrong> {
        self.optional(name)?.ok_or_else(|| Wrong::Content(format!("{name} is null")))
    }
}

struct Reader<'a> {
    cursor: Cursor<'a>,
}

impl Reader<'_> {
    /// Reads the members of the object here.
    fn object(&mut self, mut member: impl FnMut(&mut Self, &str) -> Result<(), Wrong>) -> Result<(), Wrong> {
        if self.cursor.byte() != b'{' {
            return Err(self.cursor.unexpected("'{'").into());
        }
        let mut more = self.cursor.enter_object()?;
        while more {
            let key = self.cursor.key()?;
            let key = text(&self.cursor.bytes()[key.start..key.end]);
            member(self, &key)?;
            more = self.cursor.next_member()?;
        }
        Ok(())
    }

    fn logs(&mut self) -> Result<Vec<Listed>, Wrong> {
        if self.cursor.byte() != b'[' {
            return Err(Wrong::Content("logFiles is not an array".to_owned()));
        }
        let mut logs = Vec::new();
        let mut more = self.cursor.enter_array()?;
        while more {
            let mut fields = Fields::default();
            self.object(|reader, key| fields.read(key, reader))?;
            logs.push(Listed {
                at: Name { bucket: fields.required("s3Bucket")?, key: fields.required("s3Object")? },
                hash: fields.required("hashValue")?,
                algorithm: fields.required("hashAlgorithm")?,
            });
            more = self.cursor.next_element()?;
        }
        Ok(logs)
    }

    /// The text of a string, or null; `None` for a value of another type, which is never needed here.
    #[expect(clippy::option_option, reason = "no string, null, text")]
    fn string_or_null(&mut self, name: &str) -> Result<Option<Option<String>>, Wrong> {
        let value = self.cursor.value()?;
        match self.cursor.slice(value) {
            b"null" => Ok(Some(None)),
            [b'"', inside @ .., b'"'] => {
                let text = text(inside);
                if text.contains('\u{fffd}') {
                    return Err(Wrong::Content(format!("{name} holds a broken character")));
                }
                Ok(Some(Some(text)))
            }
            _ => Ok(None),
        }
    }
}

fn text(inside: &[u8]) -> String {
    String::from_utf8(decoded(inside).into_owned()).expect("the whole text is UTF-8")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::clock::HOUR;

    pub(crate) const STARTING: &str = concat!(
        r#"{"awsAccountId":"111122223333","digestStartTime":"2015-08-17T14:01:31Z","#,
        r#""digestEndTime":"2015-08-17T15:01:31Z","digestS3Bucket":"b","digestS3Object":"k","#,
        r#""digestPublicKeyFingerprint":"f","digestSignatureAlgorithm":"SHA256withRSA","#,
        r#""newestEventTime":null,"oldestEventTime":null,"previousDigestS3Bucket":null,"#,
        r#""previousDigestS3Object":null,"previousDigestHashValue":null,"#,
        r#""previousDigestHashAlgorithm":null,"previousDigestSignature":null,"logFiles":[]}"#
    );

    pub(crate) fn parse(text: &str) -> Result<Digest, String> {
        let mut arena = Arena::new(text.len());
        arena.append(|bytes| bytes.extend_from_slice(text.as_bytes()));
        Digest::parse(&arena, &mut Index::default())
    }

    #[test]
    fn a_starting_digest() {
        let digest = parse(STARTING).expect("a digest");
        assert_eq!((digest.end - digest.start, digest.previous.is_none(), digest.logs.len()), (HOUR, true, 0));
        let signed = digest.string_to_sign(&[0xab; 32]);
        assert_eq!(signed, format!("2015-08-17T15:01:31Z\nb/k\n{}\nnull", "ab".repeat(32)));
    }

    #[test]
    fn escapes_are_decoded_and_unknown_keys_passed() {
        let text = STARTING.replace(r#""k""#, r#""a\/\u006b""#).replace(r#"{"aws"#, r#"{"new":{"x":[1]},"aws"#);
        assert_eq!(parse(&text).expect("a digest").at.key, "a/k");
        let log = r#""logFiles":[{"s3Bucket":"b","s3Object":"x","hashValue":"00","hashAlgorithm":"SHA-256","more":1}]"#;
        let logs = parse(&STARTING.replace(r#""logFiles":[]"#, log)).expect("a digest").logs;
        assert_eq!(logs[0].at.key, "x");
    }

    #[test]
    fn what_is_no_digest() {
        for (from, to, message) in [
            (r#","logFiles":[]"#, "", "logFiles is missing"),
            (r#""logFiles":[]"#, r#""logFiles":{}"#, "logFiles is not an array"),
            (r#""logFiles":[]"#, r#""logFiles":[],"logFiles":[]"#, "logFiles appears twice"),
            (r#""logFiles":[]"#, r#""logFiles":[{}]"#, "s3Bucket is missing, or no string"),
            (r#""k""#, "7", "digestS3Object is missing, or no string"),
            (r#""k""#, r#""k","digestS3Object":"l""#, "digestS3Object appears twice"),
            (r#""k""#, r#""\ud800""#, "digestS3Object holds a broken character"),
            (r#""f""#, "null", "digestPublicKeyFingerprint is null"),
            ("15:01:31", "13:01:31", "digestEndTime is not after digestStartTime"),
            ("15:01:31Z", "15:01:31+00:00", "digestEndTime is not a time: \"2015-08-17T15:01:31+00:00\""),
            (
                r#""previousDigestSignature":null"#,
                r#""previousDigestSignature":"00""#,
                "some of the previousDigest fields are null, but not all",
            ),
            (r#""previousDigestSignature":null,"#, "", "previousDigestSignature is missing, or no string"),
            ("[]}", "[]}x", "invalid JSON: expected the end but found 'x' at byte "),
            ("{", "[", "invalid JSON: expected '{' but found '[' at byte 0"),
        ] {
            let text = STARTING.replacen(from, to, 1);
            assert_ne!(text, STARTING);
            let found = parse(&text).expect_err(message);
            assert!(found.starts_with(message), "{found}");
        }
    }
}
