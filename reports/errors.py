"""What can go wrong between a report's name and its files."""


class ReportError(RuntimeError):
    """A report cannot be made; the message says why, in words for its author or reader."""


class ReportUsageError(ReportError):
    """There is no such report, format, date or parameter; the message lists what there is."""


class DataError(ReportError):
    """The warehouse cannot answer; the message says what is missing."""


class DocumentError(ReportError):
    """The document uses something that the engine does not know, or is not written as it should be."""


class CellError(ReportError):
    """A cell failed or took too long; the message shows the cell and the error."""
