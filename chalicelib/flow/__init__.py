"""The steps of a submission, in order: receive, process, route, notify; beside them tick."""
