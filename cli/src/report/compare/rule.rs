//! A rule of Contributor Insights that DynamoDB made, known by its name:
//! `DynamoDBContributorInsights-PKC-RESOURCE-TIME`.

use std::convert::Infallible;
use std::path::PathBuf;

const PREFIX: &str = "DynamoDBContributorInsights-";
/// Digits of the time at which a rule was made, in milliseconds.
const TIME: usize = 13;
/// The endings of files' names.
const ENDS: [&str; 3] = [".gz", ".zst", ".json"];

/// The counts that a rule makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Capacity: reads, and three times the writes.
    Accessed,
    Throttled,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub name: String,
    pub counts: Counts,
    /// Whether contributors are items, by partition key and sort key.
    pub is_of_items: bool,
    /// The table; or the table, `-`, and the index.
    resource: String,
}

/// A file to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub path: PathBuf,
    /// The rule; `None` if nothing names it.
    pub rule: Option<Rule>,
}

impl Source {
    /// Reads `FILE`, or `RULE=FILE`. A path may have a `=` of its own.
    pub fn parse(text: &str) -> Result<Self, Infallible> {
        let named = text
            .split_once('=')
            .and_then(|(rule, file)| Some((Rule::named(rule)?, file)))
            .filter(|(_, file)| !file.is_empty());
        Ok(match named {
            Some((rule, file)) => Self { path: file.into(), rule: Some(rule) },
            None => {
                let path = PathBuf::from(text);
                let mut name =
                    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
                for end in ENDS {
                    name.truncate(name.strip_suffix(end).map_or(name.len(), str::len));
                }
                Self { rule: Rule::named(&name), path }
            }
        })
    }
}

impl Rule {
    /// Reads a rule's name, or its ARN, which ends in the name.
    pub fn named(text: &str) -> Option<Self> {
        let begin = text
            .rfind(PREFIX)
            .filter(|&begin| matches!(text[..begin].bytes().last(), None | Some(b'/' | b':')))?;
        let name = &text[begin..];
        let (kind, rest) = name[PREFIX.len()..].split_once('-')?;
        let (counts, is_of_items) = match kind {
            "PKC" => (Counts::Accessed, false),
            "PKT" => (Counts::Throttled, false),
            "SKC" => (Counts::Accessed, true),
            "SKT" => (Counts::Throttled, true),
            _ => return None,
        };
        let is_time = |end: &str| end.len() == TIME && end.bytes().all(|byte| byte.is_ascii_digit());
        let resource = match rest.rsplit_once('-') {
            Some((resource, end)) if is_time(end) => resource,
            _ => rest,
        };
        let is_some = !resource.is_empty();
        is_some.then(|| Self { name: name.into(), counts, is_of_items, resource: resource.into() })
    }

    /// Returns the names, as this command has them, that the rule's table or index can have.
    /// `a-b-c` is a table, or the index `b-c` of `a`, or `c` of `a-b`.
    pub fn tables(&self) -> Vec<Vec<u8>> {
        let index = |(at, _)| {
            let (table, index) = (&self.resource[..at], &self.resource[at + 1..]);
            (!table.is_empty() && !index.is_empty()).then(|| format!("{table}/index/{index}").into_bytes())
        };
        let indexes = self.resource.match_indices('-').filter_map(index);
        std::iter::once(self.resource.clone().into_bytes()).chain(indexes).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_what_is_counted_and_of_what() {
        let rule = |text: &str| Rule::named(text).map(|rule| (rule.counts, rule.is_of_items, rule.resource));
        let time = "1772445841000";
        assert_eq!(
            rule(&format!("DynamoDBContributorInsights-PKC-my.events-{time}")),
            Some((Counts::Accessed, false, "my.events".into()))
        );
        assert_eq!(
            rule(&format!(
                "arn:aws:cloudwatch:eu-west-1:111122223333:insight-rule/DynamoDBContributorInsights-SKT-a-b-{time}"
            )),
            Some((Counts::Throttled, true, "a-b".into()))
        );
        assert_eq!(
            rule("DynamoDBContributorInsights-PKT-orders-2026"),
            Some((Counts::Throttled, false, "orders-2026".into()))
        );
        for text in [
            "",
            "orders",
            "DynamoDBContributorInsights-",
            "DynamoDBContributorInsights-XKC-a",
            "DynamoDBContributorInsights-PKC-",
        ] {
            assert_eq!(rule(text), None, "{text}");
        }
    }

    #[test]
    fn an_index_is_named_with_its_table() {
        let tables = Rule::named("DynamoDBContributorInsights-PKC-a-b-c").map(|rule| rule.tables());
        let expected = [&b"a-b-c"[..], b"a/index/b-c", b"a-b/index/c"].map(<[u8]>::to_vec);
        assert_eq!(tables, Some(expected.to_vec()));
        let odd = Rule::named("DynamoDBContributorInsights-PKC--a-").map(|rule| rule.tables());
        assert_eq!(odd, Some(vec![b"-a-".to_vec()]));
    }

    #[test]
    fn a_file_is_named_after_its_rule_or_beside_it() {
        let source = |text: &str| {
            let Ok(source) = Source::parse(text);
            (source.path.display().to_string(), source.rule.map(|rule| rule.resource))
        };
        let rule = "DynamoDBContributorInsights-PKC-events-1772445841000";
        assert_eq!(source(&format!("{rule}=a=b.json")), ("a=b.json".into(), Some("events".into())));
        let path = format!("of=march/{rule}.json.gz");
        assert_eq!(source(&path), (path.clone(), Some("events".into())));
        assert_eq!(source("a=b.json"), ("a=b.json".into(), None));
        assert_eq!(source("-"), ("-".into(), None));
    }
}
