-- Types that take nothing but their own values beside them, as text.
CAST({{column}} AS CHAR)
