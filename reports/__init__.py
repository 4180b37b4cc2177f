"""From metrics to readers: reports as PDF, HTML and workbook, and the dashboard.

Reads marts, metrics and ops, with a role that cannot write; knows neither models nor schedules.

>>> from reports import ReportGenerator
>>> ReportGenerator().generate_daily_report("2025-12-31")
"""

from pathlib import Path


class ReportGenerator:
    """Makes the registered reports; a thin door to `reports.render.render_report`."""

    def generate_daily_report(self, date: str | None = None) -> dict[str, Path]:
        """Make the daily report in all its formats, and say where each is: {format: file}.

        Args:
            date: the day, as YYYY-MM-DD; by default the newest that has metrics.

        Raises:
            reports.errors.ReportError: it cannot be made; the message says why.
        """
        return self.generate("daily", date)

    def generate(self, name: str, date: str | None = None) -> dict[str, Path]:
        """Make any registered report, as `generate_daily_report` does."""
        from reports.render import render_report

        return render_report(name, date).paths
