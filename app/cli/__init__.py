"""The command line: arguments, headless meetings, reports, the doctor, the demo."""
