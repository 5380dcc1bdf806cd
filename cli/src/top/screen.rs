//! The live screen.

use crate::readable::shown;
use crate::top::args::Top;
use crate::top::fleet::{Fleet, Row as Partition};
use crate::top::list::{Choice, HEADINGS, blindness, cells, counted, headline};
use crate::top::scrape::look;
use anyhow::Result;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Paragraph, Row, Table, TableState};
use ratatui::{DefaultTerminal, Frame};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const KEYS: &str = "q quit  s sort  / filter  w writes  r reads  b both  p pause  arrows, PgUp, PgDn move";

/// The screen's state.
struct Screen {
    fleet: Option<Fleet>,
    choice: Choice,
    selected: TableState,
    /// Whether the filter is being typed.
    is_typing: bool,
    is_paused: bool,
}

/// Shows the fleet until the user ends it.
pub fn run(args: &Top) -> Result<()> {
    let (to, looks) = channel();
    // The asking thread ends with the process: it may be waiting for an address then.
    std::thread::scope(|scope| {
        let (stop, stopped) = channel::<()>();
        scope.spawn(move || {
            while to.send(look(args)).is_ok() {
                let every = Duration::from_secs_f64(args.every.max(0.1));
                if stopped.recv_timeout(every) != Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                    return;
                }
            }
        });
        let choice = Choice { sort: args.sort, filter: args.filter.clone(), operation: None };
        let screen = Screen {
            fleet: None,
            choice,
            selected: TableState::default(),
            is_typing: false,
            is_paused: false,
        };
        let terminal = ratatui::init();
        let shown = screen.show(terminal, &looks);
        ratatui::restore();
        drop(stop);
        shown
    })
}

impl Screen {
    fn show(mut self, mut terminal: DefaultTerminal, looks: &Receiver<Fleet>) -> Result<()> {
        loop {
            for fleet in looks.try_iter() {
                if !self.is_paused {
                    self.fleet = Some(fleet);
                }
            }
            terminal.draw(|frame| self.draw(frame))?;
            if event::poll(Duration::from_millis(100))?
                && let Event::Key(key) = event::read()?
                && key.kind == KeyEventKind::Press
                && self.is_over(key)
            {
                return Ok(());
            }
        }
    }

    /// Does what a key says. Returns whether that is to end.
    fn is_over(&mut self, key: KeyEvent) -> bool {
        if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
            return true;
        }
        if self.is_typing {
            match key.code {
                KeyCode::Enter => self.is_typing = false,
                KeyCode::Esc => {
                    self.choice.filter.clear();
                    self.is_typing = false;
                }
                KeyCode::Backspace => _ = self.choice.filter.pop(),
                KeyCode::Char(c) => self.choice.filter.push(c),
                _ => {}
            }
            return false;
        }
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => return true,
            KeyCode::Char('s') => self.choice.sort = self.choice.sort.next(),
            KeyCode::Char('/') => self.is_typing = true,
            KeyCode::Char('w') => self.choice.operation = Some("write"),
            KeyCode::Char('r') => self.choice.operation = Some("read"),
            KeyCode::Char('b') => self.choice.operation = None,
            KeyCode::Char('p') => self.is_paused = !self.is_paused,
            KeyCode::Down | KeyCode::Char('j') => self.selected.select_next(),
            KeyCode::Up | KeyCode::Char('k') => self.selected.select_previous(),
            KeyCode::PageDown => self.selected.scroll_down_by(10),
            KeyCode::PageUp => self.selected.scroll_up_by(10),
            KeyCode::Home => self.selected.select_first(),
            KeyCode::End => self.selected.select_last(),
            _ => {}
        }
        false
    }

    fn draw(&mut self, frame: &mut Frame<'_>) {
        let [top, alerts, list, bottom] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(1),
        ])
        .areas(frame.area());
        let Some(fleet) = &self.fleet else {
            frame.render_widget(Paragraph::new("asking ..."), top);
            return;
        };
        frame.render_widget(Paragraph::new(headline(fleet)), top);
        frame.render_widget(Paragraph::new(alert(fleet)), alerts);
        let rows = self.choice.of(fleet);
        let [table_width, pk_width] = [0, 1].map(|i| {
            let longest = rows.iter().map(|row| cells(row)[i].chars().count()).max().unwrap_or(0);
            longest.clamp(HEADINGS[i].len(), 40) as u16
        });
        let mut widths = vec![Constraint::Length(table_width), Constraint::Min(pk_width.min(20))];
        widths.extend([9, 12, 12, 9, 9, 9].map(Constraint::Length));
        let header = HEADINGS.iter().enumerate().map(|(i, heading)| Cell::from(aligned(i, heading)));
        let table = Table::new(rows.iter().map(|row| row_of(row)), widths)
            .header(Row::new(header).style(Style::new().add_modifier(Modifier::BOLD)))
            .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
        frame.render_stateful_widget(table, list, &mut self.selected);
        frame.render_widget(Paragraph::new(self.status(rows.len())), bottom);
    }

    fn status(&self, listed: usize) -> String {
        if self.is_typing {
            let filter = shown(self.choice.filter.as_bytes());
            return format!("filter: {filter}_  (Enter keeps it, Esc drops it)");
        }
        let mut status =
            format!("{} by {}", counted(listed, "partition", "partitions"), self.choice.sort.name());
        if let Some(operation) = self.choice.operation {
            status += &format!(", {operation}s");
        }
        if !self.choice.filter.is_empty() {
            status += &format!(", with {:?}", self.choice.filter);
        }
        if self.is_paused {
            status += ", paused";
        }
        format!("{status}  |  {KEYS}")
    }
}

/// Returns the line that says what is wrong, if something is.
fn alert(fleet: &Fleet) -> Line<'_> {
    let style = Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD);
    if let Some(failed) = fleet.failed.first() {
        return Line::from(Span::styled(shown(failed.as_bytes()), style));
    }
    blindness(fleet).map_or_else(Line::default, |text| Line::from(Span::styled(text, style)))
}

fn row_of(partition: &Partition) -> Row<'static> {
    let share = partition.demand.share_of_limit;
    // Brighter, and not only redder, for eyes to which red and green are alike.
    let style = match share {
        share if share >= 1.0 || partition.demand.throttles > 0.0 => {
            Style::new().fg(Color::LightRed).add_modifier(Modifier::BOLD)
        }
        share if share >= 0.8 => Style::new().fg(Color::LightYellow),
        share if share >= 0.5 => Style::new().fg(Color::Cyan),
        _ => Style::new(),
    };
    Row::new(cells(partition).into_iter().enumerate().map(|(i, text)| Cell::from(aligned(i, &text))))
        .style(style)
}

/// Returns a cell's text; numbers stand at the right.
fn aligned(column: usize, text: &str) -> Line<'static> {
    let line = Line::from(text.to_string());
    if column >= 3 { line.right_aligned() } else { line }
}
