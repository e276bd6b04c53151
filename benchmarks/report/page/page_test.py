#!/usr/bin/env python3
"""Tests of the report page: as a file, and in a real browser where one is installed.

    page_test.py PAGE SAMPLE_RESULT

Without a Chromium the tests of class InBrowser are skipped.
"""

import json
import os
import re
import shutil
import sys
import tempfile
import unittest

import browser
import embed

WIDTHS = (360, 768, 1280, 1920)
PAGE, SAMPLE = (embed.read(path) for path in sys.argv[1:3])


class AsFile(unittest.TestCase):
    def test_has_one_marker(self):
        self.assertEqual(PAGE.count(embed.MARKER), 1)
        self.assertIn(
            f'<script type="application/json" id="result">{embed.MARKER}</script>', PAGE
        )

    def test_needs_no_other_file(self):
        self.assertEqual(
            re.findall(r'<(?:link|script|img)[^>]+(?:src|href)="(?!data:)', PAGE), []
        )
        self.assertEqual(
            re.findall(r"@import|url\(|\bfetch\(|XMLHttpRequest", PAGE), []
        )

    def test_ends_each_script(self):
        self.assertEqual(
            len(re.findall(r"<script", PAGE)), len(re.findall(r"</script>", PAGE))
        )

    def test_carries_the_notice_of_its_chart_library(self):
        self.assertIn("Chart.js v3.9.1", PAGE)
        self.assertIn("Permission is hereby granted, free of charge", PAGE)

    def test_has_no_text_below_14_px(self):
        sizes = [
            int(size) for size in re.findall(r"font(?:-size)?:[^;]*?(\d+)px", PAGE)
        ]
        self.assertGreater(len(sizes), 5)
        self.assertGreaterEqual(min(sizes), 14)

    def test_sample_names_only_what_it_has(self):
        sample = json.loads(SAMPLE)
        allocators = {each["key"] for each in sample["allocators"]}
        workloads = {each["key"] for each in sample["workloads"]}
        metrics = {each["key"] for each in sample["metrics"]}
        analysis = sample["analysis"]
        rows = (
            sample["samples"]
            + analysis["cells"]
            + analysis["behind"]
            + analysis["against"]["rows"]
        )
        for row in rows:
            self.assertIn(row["allocator"], allocators)
            self.assertIn(row["workload"], workloads)
            self.assertLessEqual(
                set(row.get("values", row.get("metrics", []))), metrics
            )


class Embedding(unittest.TestCase):
    def test_puts_files_in_and_ends_no_script_early(self):
        page = '<link rel="stylesheet" href="a.css"><script src="b.js"></script>'
        text = embed.embed(page, {"a.css": "p{}", "b.js": "'</script>'"})
        self.assertEqual(
            text, "<style>\np{}\n</style><script>\n'<\\/script>'\n</script>"
        )

    def test_refuses_unknown_and_unused_files(self):
        with self.assertRaisesRegex(ValueError, "not given"):
            embed.embed('<script src="b.js"></script>', {})
        with self.assertRaisesRegex(ValueError, "does not name c.js"):
            embed.embed("", {"c.js": ""})

    def test_puts_a_result_in_that_ends_no_script(self):
        text = embed.put_result("<script>/*RESULT*/</script>", '{"a": "</script>"}')
        self.assertEqual(text, '<script>{"a": "\\u003c/script>"}</script>')
        with self.assertRaisesRegex(ValueError, "one marker"):
            embed.put_result("", "{}")


@unittest.skipUnless(browser.find_browser(), "no Chromium here")
class InBrowser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.browser = browser.Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.browser.errors.clear()
        self.browser.requests.clear()

    def tearDown(self):
        self.assertEqual(self.browser.errors, [])
        self.assertEqual(
            [
                url
                for url in self.browser.requests
                if not url.startswith(("file:", "data:"))
            ],
            [],
        )

    def show(self, result=SAMPLE, **options):
        """Opens the page with `result` in it; None leaves the marker."""
        path = os.path.join(self.folder, "page.html")
        with open(path, "w", encoding="utf-8") as file:
            file.write(PAGE if result is None else embed.put_result(PAGE, result))
        self.browser.open("file://" + path, **options)

    def ask(self, expression):
        return self.browser.evaluate(expression)

    def texts(self, selector):
        return self.of_each(selector, "each.textContent")

    def of_each(self, selector, expression):
        """Returns the value of `expression` for `each` element that matches."""
        elements = f"[...document.querySelectorAll({json.dumps(selector)})]"
        return self.ask(f"{elements}.map((each) => {expression})")

    def in_each_look(self, check):
        """Calls `check(width)` with the page shown in each width and theme."""
        for width in WIDTHS:
            for dark in (False, True):
                with self.subTest(width=width, dark=dark):
                    self.show(width=width, dark=dark)
                    check(width)

    def test_fits_every_width(self):
        def check(width):
            self.assertLessEqual(
                self.ask("document.documentElement.scrollWidth"), width
            )
            self.assertGreater(min(self.of_each("canvas", "each.clientWidth")), 200)
            if width >= 1280:
                over = self.of_each(".box", "each.scrollWidth - each.clientWidth")
                self.assertEqual(max(over), 0)

        self.in_each_look(check)

    def test_text_is_large_and_has_contrast(self):
        # The ratio of WCAG 2 between each text and what is behind it.
        faults = """(() => {
          const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
          const light = (colour) => channels(colour).slice(0, 3).map((value) => value / 255)
            .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
            .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
          const behind = (element) => {
            for (; element; element = element.parentElement) {
              const colour = getComputedStyle(element).backgroundColor;
              if ((channels(colour)[3] ?? 1) > 0) return colour;
            }
          };
          const faults = [];
          const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walk.nextNode()) {
            const element = walk.currentNode.parentElement;
            if (!walk.currentNode.data.trim() || !element.checkVisibility()) continue;
            if (element.closest("script")) continue;
            const style = getComputedStyle(element);
            const [a, b] = [light(style.color), light(behind(element))];
            const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            if (parseFloat(style.fontSize) < 14 || ratio < 4.5) {
              faults.push([walk.currentNode.data, style.fontSize, ratio]);
            }
          }
          return faults;
        })()"""
        self.in_each_look(lambda _: self.assertEqual(self.ask(faults), []))

    def test_marks_stand_out_in_both_themes_alike(self):
        colours = []
        for dark in (False, True):
            self.show(dark=dark)
            colours.append(
                self.of_each(".fill", "getComputedStyle(each).backgroundColor")
            )
        self.assertEqual(colours[0], colours[1])
        self.assertEqual(len(set(colours[0])), 5)

        def luminance(colour):
            parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
            parts = [
                part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
                for part in parts
            ]
            return sum(
                part * weight for part, weight in zip(parts, (0.2126, 0.7152, 0.0722))
            )

        for colour in self.ask("[...OUR_COLOURS, ...PEER_COLOURS, FLOOR_COLOUR]"):
            for page in ("#ffffff", "#14171c"):
                low, high = sorted((luminance(colour), luminance(page)))
                self.assertGreaterEqual(
                    (high + 0.05) / (low + 0.05), 3, f"{colour} on {page}"
                )

    def test_structure(self):
        self.show()
        levels = self.ask(
            "[...document.querySelectorAll('h1,h2,h3,h4')].map((each) => Number(each.tagName[1]))"
        )
        self.assertEqual(levels[0], 1)
        self.assertEqual(levels.count(1), 1)
        for before, after in zip(levels, levels[1:]):
            self.assertLessEqual(after, before + 1)
        self.assertEqual(
            self.ask(
                "[...document.querySelectorAll('table')].filter((each) => !each.caption).length"
            ),
            0,
        )
        ids = self.ask("[...document.querySelectorAll('[id]')].map((each) => each.id)")
        self.assertEqual(len(ids), len(set(ids)))
        for target in self.ask(
            "[...document.querySelectorAll('a[href^=\"#\"]')].map((each) => each.hash.slice(1))"
        ):
            self.assertIn(target, ids)
        self.assertEqual(
            self.texts("main > section > h2"),
            [
                "Should I switch, and what does it cost?",
                "How to read this",
                "Small blocks, one thread",
                "Several threads",
                "Memory over time",
                "Where HAKMEM is not first",
                "Compared with old.json",
                "What failed or did not run",
                "Goals of the project",
            ],
        )
        self.assertEqual(
            self.texts("#contents-list a"), self.texts("main > section > h2")
        )

    def test_answers_first(self):
        self.show(height=800)
        sample = json.loads(SAMPLE)
        self.assertEqual(
            self.texts(".lead"), [sample["analysis"]["headline"]["sentence"]]
        )
        self.assertEqual(len(self.texts(".bars .bar")), 10)
        self.assertLess(
            self.ask("document.querySelector('.bars').getBoundingClientRect().bottom"),
            800,
        )
        self.assertIn("Example CPU at 3 GHz", self.texts("#machine")[0])
        self.assertIn("--suite=quick", self.texts("header code")[0])

    def test_shows_all_of_the_result(self):
        self.show()
        sample = json.loads(SAMPLE)
        everything = self.ask("document.querySelector('main').textContent")
        for text in (
            "killed by signal 11 after 2.1 s",
            "lua5.4 is not installed",
            "Lua <interpreter>",
            "libtcmalloc_minimal.so.4 is not installed",
            "The run was interrupted",
            "harness floor, glibc 2.36, mimalloc and jemalloc",
            "0.88 x",
        ):
            self.assertIn(text, everything)
        self.assertEqual(
            len(self.texts("#behind tbody tr")), len(sample["analysis"]["behind"])
        )
        self.assertEqual(
            self.texts("#against tbody td:nth-child(2)"), ["worse", "better", "same"]
        )
        self.assertEqual(
            self.texts("#goals tbody td:last-child"), ["yes", "no", "no", "yes"]
        )
        titles = [
            f"{each['title']}{each['description']}"
            for each in sample["workloads"]
            if each["kind"] == "small" and "absent" not in each
        ]
        self.assertEqual(self.texts("#kind-small tr.group")[:2], titles)
        self.assertIn("Failed here: glibc 2.36.", everything)
        # Time and memory of three kinds but for one without time, two curves, one
        # course of memory.
        self.assertEqual(
            self.ask("document.querySelectorAll('canvas').length"), 5 + 2 + 1
        )
        pixels = (
            "each.getContext('2d').getImageData(0, 0, each.width, each.height).data"
        )
        self.assertTrue(all(self.of_each("canvas", pixels + ".some((part) => part)")))

    def test_hover_gives_exact_values_and_samples(self):
        self.show()
        cell = next(
            each
            for each in json.loads(SAMPLE)["analysis"]["cells"]
            if (each["workload"], each["allocator"]) == ("random-mixed-256", "segment")
        )
        tips = self.ask(
            "[...document.querySelectorAll('#kind-small td[title]')].map((each) => each.title)"
        )
        tip = next(each for each in tips if str(cell["metrics"]["ns"]["value"]) in each)
        self.assertIn("samples: ", tip)
        lines = """(() => {
          const {chart} = allCharts[0];
          const point = chart.getDatasetMeta(0).data[0];
          chart.tooltip.setActiveElements([{datasetIndex: 0, index: 0}], {x: point.x, y: point.y});
          chart.update();
          const {title, body} = chart.tooltip;
          return [...title, ...body.flatMap((part) => part.lines)].join("\\n");
        })()"""
        self.assertRegex(
            self.ask(lines),
            r"(?s)Random mixed, 256 slots.*HAKMEM segment.*of mimalloc.*samples: ",
        )

    def test_sorts_columns(self):
        self.show()
        heads = "[...document.querySelectorAll('#behind th button')]"
        self.ask(f"{heads}[1].click()")
        ratios = [
            float(text.split()[0])
            for text in self.texts("#behind tbody td:nth-child(2)")
        ]
        self.assertEqual(ratios, sorted(ratios))
        self.ask(f"{heads}[1].click()")
        self.assertEqual(
            self.ask(
                "document.querySelector('#behind [aria-sort]').getAttribute('aria-sort')"
            ),
            "descending",
        )
        ratios = [
            float(text.split()[0])
            for text in self.texts("#behind tbody td:nth-child(2)")
        ]
        self.assertEqual(ratios, sorted(ratios, reverse=True))

    def test_key_hides_an_allocator_in_all_charts(self):
        self.show()
        count = """allCharts.filter(({chart, allocators}) => allocators.some((key, index) =>
            key === "glibc" && chart.isDatasetVisible(index))).length"""
        self.assertEqual(self.ask(count), 8)
        self.ask("document.querySelector('[data-allocator=glibc]').click()")
        self.assertEqual(self.ask(count), 0)
        pressed = self.of_each("[data-allocator=glibc]", "each.ariaPressed")
        self.assertEqual(pressed, ["false"] * 3)

    def test_shows_other_allocators_on_request(self):
        self.show()
        before = self.of_each("#kind-small tr", "each.checkVisibility()")
        self.ask("document.querySelector('#kind-small button.more').click()")
        after = self.of_each("#kind-small tr", "each.checkVisibility()")
        self.assertGreater(sum(after), sum(before))

    def test_keyboard_reaches_the_report_and_the_contents(self):
        self.show()
        self.browser.key("Tab", 9)
        self.assertEqual(self.ask("document.activeElement.className"), "skip")
        self.browser.key("Tab", 9)
        self.assertEqual(self.ask("document.activeElement.hash"), "#short")

    def test_keyboard_scrolls_wide_tables_only(self):
        for width in (1280, 360):
            self.show(width=width)
            wide = self.of_each(".box", "each.scrollWidth > each.clientWidth")
            self.assertEqual(any(wide), width == 360)
            self.assertEqual(self.of_each(".box", "each.tabIndex === 0"), wide)

    def test_contents_stay_in_sight(self):
        for width in (1280, 360):
            self.show(width=width)
            self.ask("scrollTo(0, document.documentElement.scrollHeight)")
            top = "document.querySelector('.side').getBoundingClientRect().top"
            self.assertIn(self.ask(top), (0, 16))
            self.assertEqual(
                self.ask("document.getElementById('contents').open"), width == 1280
            )

    def test_theme_switch(self):
        self.show(dark=False)
        colour = "getComputedStyle(document.body).backgroundColor"
        self.assertEqual(self.ask(colour), "rgb(255, 255, 255)")
        choose = """(() => {
          const select = document.getElementById('theme');
          select.value = '%s';
          select.dispatchEvent(new Event('change'));
        })()"""
        self.ask(choose % "dark")
        self.assertEqual(self.ask(colour), "rgb(20, 23, 28)")
        self.ask(choose % "auto")
        self.assertEqual(self.ask(colour), "rgb(255, 255, 255)")

    def test_formats(self):
        self.show()
        for expression, text in (
            ("formatNs(6.8412)", "6.84 ns"),
            ("formatNs(1234)", "1.23 \u00b5s"),
            ("formatNs(2.5e9)", "2.50 s"),
            ("formatNs(-0.25)", "-0.25 ns"),
            ("formatNs(0)", "0 ns"),
            ("formatBytes(1536)", "1.50 KiB"),
            ("formatBytes(25e9)", "23.3 GiB"),
            ("formatBytes(12)", "12 B"),
            ("formatCount(1234567)", "1,234,567"),
            ("formatRatio(1.1268)", "1.13 x"),
            ("formatRatio(86.2)", "86.2 x"),
            ("formatRound(100, 'ratio')", "100 x"),
            ("formatRound(64 * 2 ** 20, 'bytes')", "64 MiB"),
            ("formatRound(1.5, 'ratio')", "1.5 x"),
            ("formatRange(6.89, 7.17, 'ns')", "6.89 to 7.17 ns"),
            ("formatRange(900, 1100, 'ns')", "0.90 to 1.10 \u00b5s"),
            ("formatDuration(182.4)", "3 min 2 s"),
            ("formatTick(65536)", "64 Ki"),
        ):
            self.assertEqual(self.ask(expression), text, expression)

    def test_says_why_there_is_nothing_to_show(self):
        for result, reason in (
            (None, "holds no result"),
            ("{", "cannot be read"),
            ('{"format": 2}', "of format 1; this one says 2"),
        ):
            self.show(result)
            self.assertIn(reason, self.texts(".notice")[-1])

    def test_shows_a_result_with_little_in_it(self):
        sample = json.loads(SAMPLE)
        bare = {
            key: sample[key]
            for key in ("format", "metrics", "allocators", "kinds", "workloads")
        }
        for result in (
            {"format": 1},
            bare,
            dict(bare, analysis={"cells": sample["analysis"]["cells"]}),
        ):
            self.show(json.dumps(result))
            self.assertIn("compared HAKMEM with no other", self.texts(".lead")[0])

    def test_says_what_to_do_without_scripts(self):
        self.show(script=True)
        self.assertIsNone(self.browser.html_of("noscript .notice"))
        self.show(script=False)
        self.assertIn(
            "This page needs JavaScript", self.browser.html_of("noscript .notice")
        )


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
