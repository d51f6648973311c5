"""Parts about pages and statements with much behind them."""
