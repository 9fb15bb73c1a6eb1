SELECT month, contact_center_name, sum(total_interactions) AS interactions
FROM support_report
GROUP BY month, contact_center_name
ORDER BY month, contact_center_name
