//! The heat map, by the command itself. Its page in a real browser is `ci/browser.sh`'s matter.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of its own for a test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("heatmap").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn heatmap(log: &Path, output: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotpart"));
    command.args(["heatmap", "--quiet"]).arg(log).arg("-o").arg(output).args(more).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Draws a page of a log, and returns it.
fn page(name: &str, log: &[u8], more: &[&str]) -> String {
    let (log_path, html) = (folder(name).join("log.csv"), folder(name).join("heat.html"));
    std::fs::write(&log_path, log).unwrap();
    let output = heatmap(&log_path, &html, more);
    assert!(output.status.success(), "{}", text(&output.stderr));
    std::fs::read_to_string(html).unwrap()
}

/// The document that the page's script reads.
fn data(page: &str) -> Value {
    let (_, data) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap()
}

/// By column, the count, the fullest second, the share, warnings, throttles and partitions of a
/// row.
fn cells(row: &Value) -> BTreeMap<u64, [u64; 6]> {
    let numbers: Vec<u64> = row["cells"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
    let mut column = 0;
    let cells = numbers.chunks(7).map(|cell| {
        column += cell[0];
        (column, cell[1..].try_into().unwrap())
    });
    cells.collect()
}

fn row<'a>(data: &'a Value, panel: usize, name: &str) -> &'a Value {
    let mut rows = data["panels"][panel]["rows"].as_array().unwrap().iter();
    rows.find(|row| row["name"] == name).unwrap_or_else(|| panic!("no row {name}"))
}

#[test]
fn a_cell_has_the_count_the_fullest_second_and_its_share_of_the_limit() {
    let log = "time_ms,operation,table,pk,amount\n\
        1000,write,t,a,100\n1999,write,t,a,150\n2000,write,t,a,240\n12000,write,t,a,1500\n12000,write,t,b,7\n12000,read,t,a,300\n";
    let data = data(&page("cells", log.as_bytes(), &[]));
    assert_eq!((&data["width"], &data["columns"], &data["halves"]), (&5.into(), &3.into(), &2.into()));
    assert_eq!(data["panels"][0]["whole"], "DynamoDB's limit, 1,000 units a second");
    let expected = [(0, [980, 500, 250, 0, 0, 1]), (2, [3_000, 3_000, 1_500, 1, 0, 1])];
    assert_eq!(cells(row(&data, 0, "a")), expected.into());
    assert_eq!(cells(row(&data, 0, "b")), [(2, [14, 14, 7, 0, 0, 1])].into());
    assert_eq!(cells(row(&data, 1, "a")), [(2, [600, 600, 100, 0, 0, 1])].into());
    let warning = &row(&data, 0, "a")["warnings"][0];
    assert_eq!(*warning, serde_json::json!([12_000, "1,500 units in a second; the threshold is 1,000"]));
    let of_four = self::data(&page("processes", log.as_bytes(), &["--processes", "4"]));
    let shares: Vec<_> = cells(row(&of_four, 0, "a")).into_values().map(|cell| cell[2]).collect();
    assert_eq!(shares, [1_000, 6_000]);
}

#[test]
fn with_thresholds_a_cell_has_the_fullest_window() {
    // The window's count is greatest in its second 12, when it has ten writes of second 3 still;
    // then they leave.
    let log = "3000,write,t,a,10\n11000,write,t,a,5\n12000,write,t,a,1\n14500,write,t,a,1\n40000,write,t,a,2\n3000,write,other,a,10\n";
    let more = ["--preset", "moderate", "--writes", "16", "--window", "10", "--table", "other=40,"];
    let data = data(&page("thresholds", log.as_bytes(), &more));
    assert_eq!((&data["halves"], &data["panels"][0]["whole"]), (&1.into(), &"the threshold, 16".into()));
    let shares =
        |row: &Value| cells(row).into_iter().map(|(at, cell)| (at, cell[2], cell[3])).collect::<Vec<_>>();
    assert_eq!(shares(row(&data, 0, "a")), [(0, 625, 0), (2, 1_000, 1), (8, 125, 0)]);
    assert_eq!(
        (&data["panels"][1]["table"], shares(row(&data, 1, "a"))),
        (&"other".into(), vec![(0, 250, 0), (2, 250, 0)])
    );
}

#[test]
fn partitions_without_a_row_of_their_own_are_in_bands_by_their_hash() {
    let mut log = String::from("time_ms,operation,table,pk,amount\n");
    (0..100).for_each(|key| log += &format!("1000,read,t,k{key:02},{}\n", key + 1));
    let page = page("bands", log.as_bytes(), &["--rows", "3"]);
    let data = data(&page);
    let rows = data["panels"][0]["rows"].as_array().unwrap();
    let names: Vec<_> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names[..3], ["k99", "k98", "k97"]);
    let bands = &rows[3..];
    assert!(bands.len() > 15 && names[3..].iter().all(|name| name.starts_with("others ")), "{names:?}");
    let partitions: u64 = bands.iter().map(|band| band["band"].as_u64().unwrap()).sum();
    let sum =
        |i: usize| bands.iter().flat_map(|band| cells(band).into_values()).map(|cell| cell[i]).sum::<u64>();
    // 1 to 97 units, in halves.
    assert_eq!((partitions, sum(5), sum(0)), (97, 97, 97 * 98));
    let hottest = bands.iter().flat_map(|band| cells(band).into_values()).map(|cell| cell[1]).max();
    assert_eq!(hottest, Some(2 * 97));
    assert!(page.contains("t</bdi>, reads: 100 partitions"));
}

/// All three have one thousandth of the limit.
#[test]
fn rows_are_in_the_order_of_exact_counts() {
    let data = data(&page("order", b"1000,read,t,a,4\n1000,read,t,c,5\n1000,read,t,b,5\n", &[]));
    let rows = data["panels"][0]["rows"].as_array().unwrap();
    assert_eq!(rows.iter().map(|row| row["name"].as_str().unwrap()).collect::<Vec<_>>(), ["b", "c", "a"]);
    let late = "1000,read,t,a,4\n1000,read,t,c,5\n2000,read,t,a,3\n";
    let data = self::data(&self::page("order", late.as_bytes(), &[]));
    assert_eq!(data["panels"][0]["rows"][0]["name"], "c", "its second is the fuller");
}

#[test]
fn a_name_cannot_leave_its_place() {
    let log = b"1000,write,<t>,\"</script><script>alert(1)</script>\"\n1000,write,<t>,\xff&\n";
    let page = page("names", log, &["--title", "<b>'\"&"]);
    assert!(!page.contains("<script>alert") && !page.contains("<t>") && !page.contains("<b>'"), "markup");
    assert!(page.contains("<title>&lt;b&gt;&#39;&quot;&amp;: heat map</title>"));
    let data = data(&page);
    let names: Vec<_> =
        data["panels"][0]["rows"].as_array().unwrap().iter().map(|row| &row["name"]).collect();
    assert_eq!(names, ["</script><script>alert(1)</script>", "\\xFF&"]);
    assert!(page.contains("default-src 'none'") && page.matches("<script").count() == 3);
}

#[test]
fn pictures_have_a_title_times_and_a_legend() {
    let log = folder("pictures").join("log.csv");
    std::fs::write(&log, "1767322800000,write,t,a<b,1200\n1767323100000,write,t,c,3\n").unwrap();
    let svg = folder("pictures").join("heat.svg");
    assert!(heatmap(&log, &svg, &["--title", "A & B"]).status.success());
    let drawn = std::fs::read_to_string(svg).unwrap();
    for shown in [
        "A &amp; B",
        "a&lt;b",
        "2026-01-02 03:00:00 to 2026-01-02 03:05:00, UTC",
        "100 % and more",
        "03:02:00",
    ] {
        assert!(drawn.contains(shown), "{shown} is missing: {drawn}");
    }
    // Its fullest second is over the limit, which has a colour of its own.
    assert_eq!(drawn.matches("#E4002B").count(), 2, "the legend, and a cell");
    let png = folder("pictures").join("heat.PNG");
    let output = heatmap(&log, &png, &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let bytes = std::fs::read(png).unwrap();
    assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 5_000, "{} bytes", bytes.len());
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let folder = folder("refused");
    let log = folder.join("log.csv");
    std::fs::write(&log, "1000,write,t,a\n").unwrap();
    let error = |output: &str, more: &[&str]| {
        let ended = heatmap(&log, &folder.join(output), more);
        assert!(!ended.status.success());
        text(&ended.stderr).to_string()
    };
    assert!(error("heat.pdf", &[]).ends_with("heat.pdf: its name must end in .html, .svg or .png\n"));
    assert!(error("none/heat.html", &[]).contains("none/heat.html"));
    assert!(error("heat.html", &["--writes", "5"]).contains("leave out --writes"));
    std::fs::write(&log, "time_ms,operation,table,pk\n").unwrap();
    assert!(error("heat.html", &[]).contains(
        "there is nothing to draw. The log has no records that could be counted, so nothing can be said. "
    ));
}

#[test]
fn bounded_memory_says_so() {
    let page = page("bounded", b"1000,write,t,a,2000\n1000,write,t,b\n", &["--memory", "1MiB"]);
    assert!(page.contains("Memory was limited (--memory), so counts are upper limits, except that up to "));
    assert_eq!(cells(row(&data(&page), 0, "a"))[&0][2], 2_000);
}

/// Of the reads most came while the partition was not counted by itself.
#[test]
fn bounded_memory_allows_for_what_came_before_a_partition_was_counted() {
    let lines = "1000,read,t,X,50\n2000,write,t,X,300\n2500,read,t,X,1\n";
    let page = page("uncounted", lines.as_bytes(), &["--memory", "1MiB"]);
    let data = data(&page);
    let [count, peak, permille, ..] = cells(row(&data, 1, "X"))[&0];
    assert!(count >= 102 && peak >= 100 && permille >= 16, "{count} {peak} {permille}");
    // Nothing is known of what it had in the first column.
    let lines = "1000,read,t,X,50\n2000,read,t,Y,600\n62000,write,t,X,300\n62500,read,t,X,1\n";
    let page = self::page("uncounted", lines.as_bytes(), &["--memory", "1MiB"]);
    let [_, peak, permille, ..] = cells(row(&self::data(&page), 1, "X"))[&12];
    assert!(peak >= 100 && permille >= 16, "{peak} {permille}");
    assert!(
        page.contains(
            "except that up to 15.5 writes and 52 reads may be missing from a count for each 5 seconds"
        ),
        "{page}"
    );
}

/// Every cell of the acceptance trace is what a plain count of its lines gives.
#[test]
fn the_acceptance_trace_is_drawn_as_it_is() {
    let Some(trace) = std::env::var_os("HOTPART_TRACE").map(PathBuf::from) else {
        println!("skipped: HOTPART_TRACE does not say where the acceptance trace is");
        return;
    };
    let html = folder("trace").join("heat.html");
    let output = heatmap(&trace, &html, &["--rows", "500"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let data = data(&std::fs::read_to_string(html).unwrap());
    let width = data["width"].as_u64().unwrap();
    // By table, operation and key: by second, the count.
    let mut seconds: BTreeMap<(String, String, String), BTreeMap<u64, u64>> = BTreeMap::new();
    for line in std::fs::read_to_string(trace).unwrap().lines().skip(1) {
        let [time, operation, table, pk] = line.splitn(4, ',').collect::<Vec<_>>().try_into().unwrap();
        let key = (table.to_string(), format!("{operation}s"), pk.to_string());
        *seconds.entry(key).or_default().entry(time.parse::<u64>().unwrap() / 1_000).or_default() += 1;
    }
    let mut compared = 0;
    for panel in data["panels"].as_array().unwrap() {
        let name = |value: &Value| value.as_str().unwrap().to_string();
        let (table, operation) = (name(&panel["table"]), name(&panel["operation"]));
        let limit = if operation == "writes" { 1_000 } else { 3_000 };
        let mut total = 0;
        for row in panel["rows"].as_array().unwrap() {
            let drawn = cells(row);
            total += drawn.values().map(|cell| cell[0]).sum::<u64>() / 2;
            if row["band"] != 0 {
                continue;
            }
            let mut expected: BTreeMap<u64, [u64; 3]> = BTreeMap::new();
            for (second, count) in &seconds[&(table.clone(), operation.clone(), name(&row["name"]))] {
                let cell = expected.entry(second / width).or_default();
                *cell = [cell[0] + 2 * count, cell[1].max(2 * count), cell[2].max(count * 1_000 / limit)];
            }
            let first: Vec<_> =
                drawn.into_iter().map(|(at, cell)| (at, [cell[0], cell[1], cell[2]])).collect();
            assert_eq!(first, expected.into_iter().collect::<Vec<_>>(), "{table} {operation} {row}");
            compared += first.len();
        }
        let all = seconds.iter().filter(|((t, o, _), _)| *t == table && *o == operation);
        assert_eq!(total, all.flat_map(|(_, seconds)| seconds.values()).sum::<u64>(), "{table} {operation}");
    }
    assert!(compared > 4_000, "{compared} cells");
}

/// So many partitions are hot at once that there is no room to count each by itself.
#[test]
fn what_memory_had_no_room_for_is_drawn_as_at_most_so_much() {
    let folder = folder("kept-out");
    let log = folder.join("log.csv");
    let mut lines = String::new();
    for second in 0..10 {
        (0..2_000).for_each(|key| lines += &format!("{},write,t,key-{key:04},400\n", second * 1_000));
    }
    std::fs::write(&log, lines).unwrap();
    let draw = |name: &str, more: &[&str]| {
        let path = folder.join(name);
        let output = heatmap(&log, &path, &[&["--memory", "512KiB", "--rows", "500"], more].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        std::fs::read_to_string(path).unwrap_or_default()
    };
    let page = draw("heat.html", &[]);
    let data = data(&page);
    assert_eq!(data["kept_out"], "at most so much: no room to count it");
    let rows = data["panels"][0]["rows"].as_array().unwrap();
    let is_kept_out = |row: &&Value| !row["kept_out"].is_null();
    let (kept_out, counted): (Vec<_>, Vec<_>) = rows.iter().partition(is_kept_out);
    assert!(kept_out.len() > 20 && rows.len() > 100, "{} of {}", kept_out.len(), rows.len());
    println!("{} of {} rows are upper bounds, {} are not", kept_out.len(), rows.len(), counted.len());
    for row in &kept_out {
        let cells = cells(row);
        for column in row["kept_out"].as_array().unwrap() {
            // All had 2,000 units in five seconds, 40 % of the limit in each.
            let [count, peak, permille, ..] = cells[&column.as_u64().unwrap()];
            assert!(count >= 4_000 && peak >= 800 && permille >= 400, "{row}");
        }
    }
    assert!(page.contains("</bdi></th><td>≤ "), "the table says so");
    let svg = draw("heat.svg", &[]);
    assert!(
        svg.contains("at most so much: no room to count it") && svg.contains("≤ "),
        "the picture says so"
    );
    draw("heat.png", &[]);
    // Of thresholds too, near which all of them came.
    let page = draw("thresholds.html", &["--preset", "moderate", "--writes", "40", "--window", "10"]);
    let data = self::data(&page);
    let rows = data["panels"][0]["rows"].as_array().unwrap();
    let cold = rows.iter().filter(is_kept_out).filter(|row| row["permille"].as_u64().unwrap() < 250).count();
    assert_eq!(cold, 0, "of {}", rows.len());
}

#[test]
fn a_stray_clock_does_not_make_columns_wide() {
    let folder = folder("stray");
    let log = folder.join("log.csv");
    // 20 minutes, and a record of a year later.
    let begin = 1_772_445_600;
    let mut lines = String::from("time_ms,operation,table,pk,amount\n");
    (0..1_200).for_each(|second| lines += &format!("{}000,write,t,a,900\n", begin + second));
    lines += &format!("{}000,write,t,b,1200\n", begin + 31_536_000);
    std::fs::write(&log, lines).unwrap();
    let draw = |name: &str, more: &[&str]| {
        let output = heatmap(&log, &folder.join(name), more);
        assert!(output.status.success(), "{}", text(&output.stderr));
        (text(&output.stdout).to_string(), std::fs::read_to_string(folder.join(name)).unwrap())
    };
    let (said, page) = draw("heat.html", &[]);
    let data = data(&page);
    assert_eq!((&data["width"], &data["columns"]), (&5.into(), &240.into()));
    assert_eq!(data["panels"][0]["rows"].as_array().unwrap().len(), 1);
    for line in [
        "Not drawn: 1 record far from all others in time, at 2027-03-02 10:00:00. Was a clock wrong? --from and --until choose what is drawn.\n",
        "All counts are exact. Memory used for counting: ",
        "1,201 records: 1,200 counted; 1 not drawn: far from the others in time\n",
    ] {
        assert!(said.contains(line), "no {line:?} in {said}");
    }
    assert!(page.contains("Not drawn: 1 record far"));
    assert!(draw("heat.svg", &[]).1.contains("Not drawn: 1 record far away in time."));
    // What is asked for is drawn.
    let (said, page) = draw("all.html", &["--from", "2026-03-02T10:10"]);
    let data = self::data(&page);
    assert_eq!(data["panels"][0]["rows"].as_array().unwrap().len(), 2);
    assert!(data["width"].as_u64().unwrap() > 50_000, "{}", data["width"]);
    assert!(said.ends_with("1,201 records: 601 counted; 600 outside of --from and --until\n"), "{said}");
    let (said, page) = draw("minutes.html", &["--until", "2026-03-02T10:02Z"]);
    assert!(said.contains("120 counted") && !said.to_lowercase().contains("not drawn"), "{said}");
    assert_eq!(self::data(&page)["columns"], 24);
    let ended = heatmap(&log, &folder.join("none.html"), &["--from", "2027-01-01", "--until", "5"]);
    assert!(text(&ended.stderr).contains("--until is not later"), "{}", text(&ended.stderr));
}

#[test]
fn the_last_lines_tell_the_memory() {
    let folder = folder("memory");
    let log = folder.join("log.csv");
    let lines: String = (0..3_000).map(|key| format!("1000,write,t,key-{key},900\n")).collect();
    std::fs::write(&log, lines).unwrap();
    let said = |more: &[&str]| text(&heatmap(&log, &folder.join("heat.html"), more).stdout).to_string();
    let exact = said(&[]);
    let (_, held) = exact.split_once("All counts are exact. Memory used for counting: ").expect(&exact);
    let (mib, _) = held.split_once(" MiB.\n").expect(held);
    assert!((0.5..50.0).contains(&mib.parse::<f64>().unwrap()), "{exact}");
    let bounded = said(&["--memory", "512KiB"]);
    assert!(
        bounded.contains("\nMemory used for counting: ")
            && bounded.contains(
                "a hot partition may be drawn in a shared row, and a row may lack its earlier part.\n"
            )
            && bounded.contains("\nThat is little memory for this log: "),
        "{bounded}"
    );
    assert!(bounded.ends_with("3,000 records: 3,000 counted\n"));
}
