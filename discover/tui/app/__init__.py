"""The interactive leaderboard: tasks, laws and what is known of each, on one screen that follows a run while it goes.

In: a store, looked at and never written to, leaderboards on file, and actions that the caller carries out (export,
verify, report). Out: a screen. Stays out: every decision, and the held-out rows: it shows what leaderboards stored.
Textual, the extra `tui`, is needed to import `discover.tui.app.application` and nothing else.
"""
