use proptest::collection::vec;
use proptest::prelude::*;

use super::expression::Expression;
use super::read::Tree;
use super::*;
use crate::filter::Refused;

/// The error for a text that is not a filter pattern.
fn refused(text: &str) -> String {
    match FilterPattern::read(text) {
        Ok(pattern) => panic!("{text} was read as {pattern}"),
        Err(error) => error.to_string(),
    }
}

fn normal(text: &str) -> String {
    FilterPattern::read(text).unwrap_or_else(|error| panic!("{text}: {error}")).to_string()
}

#[test]
fn the_first_character_tells_the_language() {
    for text in ["", " ", "\n\t", "\"\"", "\" \""] {
        assert_eq!(FilterPattern::read(text).expect("a pattern").tree, Tree::Everything, "{text:?}");
    }
    let language = |text: &str| FilterPattern::read(text).expect("a pattern").tree;
    assert!(matches!(language("{$.a=1}"), Tree::Json(_)));
    assert!(matches!(language("[a, b]"), Tree::Fields(_)));
    assert!(matches!(language("%a.b%"), Tree::Expression(_)));
    assert!(matches!(language("a b"), Tree::Terms(_)));
    assert!(matches!(language("\"{\""), Tree::Terms(_)));
}

#[test]
fn normal_forms() {
    for (text, expected) in [
        ("{$.eventName=X}", r#"{ $.eventName = "X" }"#),
        ("{ $.a = 1 || $.b=2&&$.c = 3 }", "{ $.a = 1 || ($.b = 2 && $.c = 3) }"),
        ("{ ((($.a = 1) || $.b=2))&&($.c = 3&&($.d=4)) }", "{ ($.a = 1 || $.b = 2) && $.c = 3 && $.d = 4 }"),
        ("{$.sourceIPAddress != 123.123.*}", r#"{ $.sourceIPAddress != "123.123.*" }"#),
        ("{$.eventSource=kms.amazonaws.com}", r#"{ $.eventSource = "kms.amazonaws.com" }"#),
        ("{$.a.['b.c'][0][*].d-e_f>= -1.5e+3}", "{ $.a.['b.c'][0][*].d-e_f >= -1.5e+3 }"),
        ("{$.*=%val.{2}%}", "{ $.* = %val.{2}% }"),
        (
            "{$.a IS NULL && $.a IS  TRUE && $.a IS FALSE && $.a NOT\nEXISTS}",
            "{ $.a IS NULL && $.a IS TRUE && $.a IS FALSE && $.a NOT EXISTS }",
        ),
        (
            r#"{$.a="*" && $.a=* && $.a!=true && $.a="true"}"#,
            r#"{ $.a = * && $.a = * && $.a != true && $.a = "true" }"#,
        ),
        (r#"{$.a="say \"\\n\n\""}"#, r#"{ $.a = "say \"\\n\\n\"" }"#),
        (
            "{$.a=1.2.3.4 && $.a=.5 && $.a=5. && $.a=1e}",
            r#"{ $.a = "1.2.3.4" && $.a = ".5" && $.a = "5." && $.a = "1e" }"#,
        ),
        (" ERROR  -\"access denied\"\tB ", "ERROR B -\"access denied\""),
        ("?A ?\"b c\"", "?A ?\"b c\""),
        ("?A B", "B"),
        ("\"ERROR\"", "ERROR"),
        ("[ ]", "[]"),
        ("[a=null,]", "[a = \"null\", ]"),
        ("{$.a = \"null\" && $.b = null* && $.c = nullx}", r#"{ $.a = "null" && $.b = "null*" && $.c = "nullx" }"#),
        ("[ip,user,...,status=4*,bytes]", "[ip, user, ..., status = \"4*\", bytes]"),
        ("[w=A&&w!=%B%||w>=400, ... ]", "[w = \"A\" && w != %B% || w >= 400, ...]"),
        ("[a=true,b=*]", "[a = \"true\", b = *]"),
    ] {
        assert_eq!(normal(text), expected);
        assert_eq!(normal(expected), expected);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_is_refused_and_where() {
    for (text, message) in [
        ("{ $.a = 1", "expected '&&', '||' or '}' but found the end of the filter pattern at line 1, column 10"),
        ("{ $.a = 1 } x", "expected the end but found 'x' at line 1, column 13"),
        ("{ }", "expected '(' or a selector, which begins with '$' but found '}' at line 1, column 3"),
        ("{ a = 1 }", "expected '(' or a selector, which begins with '$' but found 'a' at line 1, column 3"),
        ("{ $ = 1 }", "expected '.' or '[' but found ' ' at line 1, column 4"),
        ("{ $.a }", "expected a comparison sign, IS or NOT EXISTS but found '}' at line 1, column 7"),
        (
            "{ $.a == 1 }",
            "expected a value: a word, a number, '*', a text in double quotes, or a %regular expression% but \
             found '=' at line 1, column 8",
        ),
        ("{ $.a is null }", "expected a comparison sign, IS or NOT EXISTS but found 'is' at line 1, column 7"),
        ("{ $.a IS NOT NULL }", "expected NULL, TRUE or FALSE but found 'NOT' at line 1, column 10"),
        ("{ $.a EXISTS }", "expected a comparison sign, IS or NOT EXISTS but found 'EXISTS' at line 1, column 7"),
        ("{ $.a NOT EXIST }", "expected EXISTS but found 'EXIST' at line 1, column 11"),
        ("{ $.a NOTEXISTS }", "expected a comparison sign, IS or NOT EXISTS but found 'NOTEXISTS' at line 1, column 7"),
        (
            "{ $.a.[\"b\"] = 1 }",
            "expected the name of a field, '*', or a key as in .['key'] but found '[' at line 1, column 7",
        ),
        ("{ $.['a] = 1 }", "expected \"']\" but found the end of the filter pattern at line 1, column 15"),
        ("{ $.[''] = 1 }", "expected a key but found ''' at line 1, column 7"),
        ("{ $.a[x] = 1 }", "expected an index or '*' but found 'x' at line 1, column 7"),
        ("{ $.a[4294967296] = 1 }", "expected an index below 4294967296 but found '4294967296' at line 1, column 7"),
        ("{ $.a[1 = 1 }", "expected ']' but found ' ' at line 1, column 8"),
        ("{ $.a[*].* = 1 }", "at most 1 wildcard in one selector at line 1, column 9"),
        (
            "{ $.a[*] = 1 || $.b[*] = 1 || $.c.* = 1 ||\n$.d[*] = 1 }",
            "at most 3 wildcard selectors at line 2, column 4",
        ),
        ("{ $.a > x }", "expected a number after '<', '>', '<=' or '>=' but found 'x' at line 1, column 9"),
        ("{ $.a <= \"5\" }", "expected a number after '<', '>', '<=' or '>=' but found '\"' at line 1, column 10"),
        ("{ $.a = \"x }", "expected '\"' but found the end of the filter pattern at line 1, column 13"),
        (
            "{ $.a = 'x' }",
            "expected a value: a word, a number, '*', a text in double quotes, or a %regular expression% but \
             found ''' at line 1, column 9",
        ),
        (
            "{ $.a = b/c }",
            "expected the end of the word: text with other than letters, digits and '_-.:*' needs double quotes \
             but found '/' at line 1, column 10",
        ),
        ("{ ($.a = 1 }", "expected '&&', '||' or ')' but found '}' at line 1, column 12"),
        ("{ $.a = 1 & $.b = 2 }", "expected '&&', '||' or '}' but found '&' at line 1, column 11"),
        ("{ $.a = %x }", "expected '%' but found the end of the filter pattern at line 1, column 13"),
        ("{ $.a = %x% || $.a = %y% || $.a = %z% }", "at most 2 regular expressions at line 1, column 35"),
        (
            "%something!%",
            "regular expression: this character is not allowed; write \\x and two hexadecimal digits at line 1, \
             column 11",
        ),
        ("%%", "regular expression: it is empty at line 1, column 2"),
        ("%a% b", "expected the end but found 'b' at line 1, column 5"),
        (
            "a-b",
            "expected a term of letters, digits and '_'; any other text needs double quotes but found '-b' at \
             line 1, column 2",
        ),
        (
            "a - b",
            "expected a term of letters, digits and '_'; any other text needs double quotes but found ' ' at \
             line 1, column 4",
        ),
        ("\"a\"b", "expected a blank but found 'b' at line 1, column 4"),
        ("[a,,b]", "expected the name of a field, or '...' but found ',' at line 1, column 4"),
        ("[,]", "expected the name of a field, or '...' but found ',' at line 1, column 2"),
        ("[a, b, a = 1]", "the field 'a' appears twice at line 1, column 8"),
        (
            " {$.a = 1}",
            "a pattern on JSON begins with its brace and ends with it: no blanks outside of them at line 1, column 1",
        ),
        (
            "{$.a =\n1}\n",
            "a pattern on JSON begins with its brace and ends with it: no blanks outside of them at line 2, column 3",
        ),
        (
            "{ $.a = null }",
            "expected a value: IS NULL asks for null, and \"null\" in quotes for the text but found 'null' at \
             line 1, column 9",
        ),
        (
            "{ $.a = é }",
            "expected a value: a word, a number, '*', a text in double quotes, or a %regular expression% but \
             found 'é' at line 1, column 9",
        ),
        ("{ $.é = 1 }", "expected the name of a field, '*', or a key as in .['key'] but found 'é' at line 1, column 5"),
        (
            "é",
            "expected a term of letters, digits and '_'; any other text needs double quotes but found 'é' at \
             line 1, column 1",
        ),
        ("[a b]", "expected ',' or ']' but found 'b' at line 1, column 4"),
        ("[a, ..., b, ...]", "at most 1 '...' at line 1, column 13"),
        ("[a = 1 && b = 2]", "expected the name of the same field but found 'b' at line 1, column 11"),
        ("[a = 1 &&]", "expected the name of the field but found ']' at line 1, column 10"),
    ] {
        assert_eq!(refused(text), message, "{text}");
    }
    assert_eq!(refused(&"é".repeat(1025)), "a filter pattern has at most 1024 characters, not 1025");
    assert_eq!(normal(&format!("\"{}\"", "é".repeat(1022))).chars().count(), 1024);
}

#[test]
fn errors_have_a_kind_and_a_place() {
    let error = FilterPattern::read("{ $.a = \"é\" ||\n  $.a EXISTS }").expect_err("an error");
    let Refused(findings) = error.into();
    assert_eq!((findings[0].code, findings[0].position), ("syntax", Some((2, 7))));
}

#[test]
fn regular_expressions_have_a_restricted_dialect() {
    let finds = |source: &str, text: &str| {
        Expression::parse(source)
            .unwrap_or_else(|error| panic!("{source}: {error:?}"))
            .program()
            .is_match(text.as_bytes())
    };
    for (source, text, expected) in [
        ("Trail", "UpdateTrail", true),
        ("trail", "UpdateTrail", false),
        ("^Trail", "UpdateTrail", false),
        ("^Update|Create$", "UpdateTrail", true),
        ("val.{2}", "value", true),
        ("^val.{2}$", "valéé", true),
        ("^a b[ c]$", "a b ", true),
        (".{400}", &"x".repeat(400), true),
        (r"111\.111\.111\.1[0-9]{1,2}", "111.111.111.111", true),
        (r"10\.10\.0\.1", "10x10.0.1", false),
        ("^a{2}$", "aa", true),
        ("^a{2,}$", "aaa", true),
        ("^a{,2}$", "aaa", false),
        ("^a{,2}$", "", true),
        ("^a{1,2}?$", "aa", true),
        ("a+?b*?c??", "a", true),
        (r"^[\w.]+$", "a_Z.9", true),
        (r"^\w$", "é", false),
        (r"^\d$", "٣", false),
        (r"^[^\s]$", " ", false),
        (r"^\S\D\W$", "a-!", true),
        (r"^[\D]$", "a", true),
        (r"\x21", "!", true),
        (r"^[\x21-\x23]+$", "!\"#", true),
        ("^[a-]+$", "a-", true),
        ("^[[a]$", "[", true),
        (r"^[\]]$", "]", true),
        ("^[.*+]$", "*", true),
        (r"a\-b\/c", "a-b/c", true),
        ("a:_#=@/;,-b", "a:_#=@/;,-b", true),
        ("a|", "", true),
    ] {
        assert_eq!(finds(source, text), expected, "{source} in {text}");
    }
    for (source, at) in [
        ("", 0),
        ("a!", 1),
        ("é", 0),
        ("(a)", 0),
        ("a\tb", 1),
        ("*a", 0),
        ("a|*", 2),
        ("^*", 1),
        ("a**", 2),
        ("a{2}{3}", 4),
        ("a{", 1),
        ("a{x}", 1),
        ("a{}", 1),
        ("a{3,2}", 1),
        ("a{99999999999}", 1),
        ("a{1000}{", 7),
        ("a]", 1),
        ("a}", 1),
        ("[a", 0),
        ("[]", 1),
        ("[^]", 2),
        ("[z-a]", 3),
        (r"[a-\d]", 3),
        ("[a-é]", 3),
        ("[a&&b]", 2),
        ("[a--]", 3),
        ("\\", 0),
        (r"\q", 1),
        (r"\x4", 1),
        (r"\xé", 1),
        (r"\(", 1),
        ("a{1000000}", 0),
    ] {
        assert_eq!(Expression::parse(source).expect_err(source).0, at, "{source}");
    }
}

#[test]
fn fields_that_blanks_divide() {
    let meets = |pattern: &str, text: &str| match FilterPattern::read(pattern).expect("a pattern").tree {
        Tree::Fields(fields) => fields.matches(text.as_bytes()),
        other => panic!("{other:?}"),
    };
    let line = r#"127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534"#;
    for (pattern, expected) in [
        ("[ip, server, user, time, request, status, bytes]", true),
        ("[ip, server, user, time, request, status]", true),
        ("[ip, server, user, time, request, status = 404]", false),
        ("[ip, server, user, time, request, status = *1534]", true),
        ("[ip, server, user, time = \"[10/Oct*\"]", true),
        ("[..., status = 404,]", true),
        ("[..., status = 4*, bytes, ]", false),
        ("[]", true),
        ("[ip, server, user, time, request, status, bytes, more]", false),
        ("[ip, ..., bytes]", true),
        ("[..., status = 4*, bytes]", true),
        ("[..., status = 4*, bytes, more]", false),
        ("[..., request = *.html*, status = 404, bytes > 1000]", true),
        ("[..., bytes <= 1534]", true),
        ("[..., bytes < 1534]", false),
        ("[..., bytes = 1534.0]", true),
        ("[..., bytes != 1534]", false),
        ("[..., status = 5* || status = 404, bytes]", true),
        ("[..., status = 4* && status != 404, bytes]", false),
        ("[ip = %127\\.0\\.0\\.[1-9]%, ...]", true),
        ("[ip, server = 5, ...]", false),
        ("[ip, server != 5, ...]", true),
        ("[ip, server > 5, ...]", false),
        ("[ip, server, user, time = 10*0700, ...]", false),
        ("[ip, server, user, time = \"10*\" && time = \"*-0700\", ...]", true),
        ("[ip, server, user, time, request = \"GET /index.html HTTP/1.0\", ...]", true),
        ("[...]", true),
        ("[..., a, b, c, d, e, f, g]", true),
        ("[..., a, b, c, d, e, f, g, h]", false),
    ] {
        assert_eq!(meets(pattern, line), expected, "{pattern}");
    }
    assert!(meets("[w1 = ERROR, w2]", "  ERROR\tx\n"));
    assert!(!meets("[w1 = ERROR, w2]", "ERROR"));
    assert!(meets("[w1 = ERROR, w2 = \"x \\\"y z\\\"\"]", "ERROR x \"y z\" "));
    assert!(!meets("[w1 = ERROR]", ""));
    assert!(meets("[...]", ""));
    // Unclosed marks, and marks in the middle, are part of a field.
    assert!(meets("[a = \"\\\"x\", b]", "\"x y"));
    assert!(meets("[a, b = \"x]y [y]z\"]", "1 [x]y [y]z]"));
    assert!(meets("[a = \"x\\\"y z\"]", "\"x\"y z\""));
}

/// Text that looks like a filter pattern.
const ALMOST: &str =
    concat!(r#"[\[{%]?( |[$.a\[\]{}()'"*%\\=!<>&|0-9-]|IS|NULL|NOT|EXISTS"#, r"|\$\.a|&&|\|\||\.\.\.){0,20}[\]}%]?",);

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ALMOST) {
        if let Ok(pattern) = FilterPattern::read(&text) {
            let shown = pattern.to_string();
            prop_assert_eq!(FilterPattern::read(&shown).expect("a normal form").to_string(), shown);
        }
    }

    #[test]
    fn a_normal_form_says_the_same(
        tests in vec((r"\.[a-z]{1,3}|\.\['[^']{1,4}'\]|\[[0-9]{1,3}\]", prop_oneof![
            r"(=|!=) [a-z0-9.*:-]{1,4}", r#"(=|!=) "([^"\\]|\\["\\]){0,5}""#,
            r"(<|>|<=|>=) [+-]?[0-9]{1,3}(\.[0-9])?([eE][+-]?[0-9])?",
            Just("IS NULL".to_owned()), Just("NOT EXISTS".to_owned()),
        ], any::<bool>(), 0..3u8), 1..8),
    ) {
        let mut text = String::new();
        let mut open = 0;
        for (step, test, and, brackets) in tests {
            let close = brackets == 2 && open > 0;
            let opens = brackets == 1;
            open = open + usize::from(opens) - usize::from(close);
            if !text.is_empty() {
                text.push_str(if and { "&&" } else { "||" });
            }
            text.extend([if opens { "($" } else { "$" }, &step, " ", &test, if close { ")" } else { "" }]);
        }
        let text = format!("{{{text}{}}}", ")".repeat(open));
        let pattern = FilterPattern::read(&text).expect("a pattern");
        prop_assert_eq!(FilterPattern::read(&pattern.to_string()).expect("a normal form"), pattern);
    }
}
