-- A float by its bits; all that print as NaN are one.
{{function}}(CASE WHEN {{column}} = 'NaN' THEN 'NaN' ELSE {{column}} END)
